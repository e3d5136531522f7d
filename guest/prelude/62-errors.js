// SPDX-License-Identifier: Apache-2.0
// What the report contains of an uncaught error: [name, message, details]. The details are the JSON text of {
// properties, cause, errors }. An error in it is { name, message, trace, properties, cause, errors }, where trace is
// the engine's record. The text is built by hand, because JSON.stringify would call a program's toJSON.

const MAX_ERRORS = 64; // the maximum number of errors within one error
const MAX_ERROR_NESTING = 8;
const MAX_PROPERTIES_TEXT = 65536; // characters of all properties together
const MAX_NESTED_TEXT = 4096; // of the message of a nested error
const errorOwnKeys = { __proto__: null, name: true, message: true, stack: true, cause: true, errors: true };

// Options for inspect that call no function of the program.
const asItIs = { __proto__: null, customInspect: false };

const isErrorObject = kind => kind === 'Error' || kind === 'DOMException';

// An object as JSON. undefined: JSON.stringify rejects it, or shows as {} what has its content elsewhere, as a Map has.
function objectJson(value) {
	const json = safeText(() => stringify(value));
	return json === '{}' || (json === 'null' && value !== null) ? undefined : json;
}

// A property as JSON. If it has none, the text that the console would show.
function propertyText(value) {
	if (isObject(value) && typeof value !== 'function') return objectJson(value) ?? stringify(inspect(value, asItIs));
	return typeof value === 'bigint' ? stringify(inspect(value, asItIs)) : stringify(value);
}

// The characters of a String and the elements of a list are in its text already.
const isTextItem = (value, kind, key) =>
	(kind === 'Array' || kind === 'String' || typedArrayTag(value) !== undefined) && isIndex(key);

function propertiesText(value, kind, budget) {
	const keys = objectKeys(value);
	let text = '';
	for (let i = 0; i < keys.length; i++) {
		if (isErrorObject(kind) ? errorOwnKeys[keys[i]] : isTextItem(value, kind, keys[i])) continue;
		const shown = propertyText(safeGet(value, keys[i]));
		if (shown === undefined) continue;
		const one = stringify(keys[i]) + ':' + shown;
		budget.text -= one.length;
		if (budget.text < 0) break;
		text += (text === '' ? '' : ',') + one;
	}
	return text === '' ? 'null' : '{' + text + '}';
}

// The members of an error's JSON, each as "key":JSON.
function detailsText(value, kind, budget) {
	let text = '"properties":' + propertiesText(value, kind, budget);
	if (!isErrorObject(kind) || budget.nesting >= MAX_ERROR_NESTING) return text;
	budget.inside[budget.nesting++] = value;
	const cause = safeGet(value, 'cause');
	// A getter that throws gives none.
	if (hasOwn(value, 'cause') && (cause !== undefined || !getOwnPropertyDescriptor(value, 'cause').get))
		text += ',"cause":' + nestedText(cause, budget);
	const errors = hasOwn(value, 'errors') ? safeGet(value, 'errors') : undefined;
	if (isObject(errors) && classOf(errors) === 'Array') {
		text += ',"errors":[';
		for (let i = 0; i < errors.length && budget.errors > 0; i++)
			text += (i === 0 ? '' : ',') + nestedText(safeGet(errors, i), budget);
		text += ']';
	}
	budget.nesting--;
	return text;
}

function nestedText(value, budget) {
	if (budget.errors-- <= 0) return 'null';
	for (let i = 0; i < budget.nesting; i++)
		if (budget.inside[i] === value) return '{"name":null,"message":"[Circular]"}';
	const kind = classOf(value),
		isError = isErrorObject(kind);
	const trace = isError ? (traceOf(value) ?? safeGet(value, 'stack')) : undefined;
	return (
		'{"name":' +
		(isError ? stringify(thrownName(value, kind)) : 'null') +
		',"message":' +
		stringify(
			slice(
				isError ? thrownMessage(value, kind) : typeof value === 'string' ? value : inspect(value, asItIs),
				0,
				MAX_NESTED_TEXT,
			),
		) +
		(typeof trace === 'string' ? ',"trace":' + stringify(slice(trace, 0, MAX_NESTED_TEXT)) : '') +
		(isObject(value) ? ',' + detailsText(value, kind, budget) : '') +
		'}'
	);
}

function thrownName(value, kind) {
	if (isErrorObject(kind)) return errorName(value, kind === 'DOMException' ? null : constructorName(value));
	if (!isObject(value) || typeof value === 'function') return 'Uncaught';
	const name = safeGet(value, 'name');
	if (typeof name === 'string' && name !== '') return name;
	const made = constructorName(value);
	return made === null || made === 'Object' || made === 'Array' ? 'Uncaught' : made;
}

function thrownMessage(value, kind) {
	if (typeof value === 'string') return value;
	if (!isObject(value)) return inspect(value, asItIs);
	const message = safeGet(value, 'message');
	if (typeof message === 'string') return message;
	if (typeof value === 'function') return inspect(value, asItIs);
	if (isErrorObject(kind)) return message === undefined ? '' : inspect(message, asItIs);
	if (typeof safeGet(value, 'name') === 'string') return '';
	const isPlain = kind === 'Object' || kind === 'Array' || typeof safeGet(value, 'toJSON') === 'function';
	return (isPlain ? objectJson(value) : undefined) ?? inspect(value, asItIs);
}

// What to do about an error that programs written for other systems often meet. It is added to the message in the
// report; the program does not see it.
const NODE_GLOBAL = '--node defines it, and so does ';
const NO_PAGE = 'there is no page here';
const IS_MODULE = 'this is an ECMAScript module: use import, or the ending .cjs';
const hintsOnNames = {
	__proto__: null,
	process: NODE_GLOBAL + "import process from 'node:process'",
	Buffer: NODE_GLOBAL + "import { Buffer } from 'node:buffer'",
	setImmediate: NODE_GLOBAL + "import { setImmediate } from 'node:timers'",
	clearImmediate: NODE_GLOBAL + "import { clearImmediate } from 'node:timers'",
	global: '--node defines it; globalThis is the same',
	require: IS_MODULE,
	module: IS_MODULE,
	exports: IS_MODULE,
	__filename: IS_MODULE + ', or import.meta.filename',
	__dirname: IS_MODULE + ', or import.meta.dirname',
	document: NO_PAGE,
	window: NO_PAGE + ': the global object is globalThis',
	alert: NO_PAGE,
	prompt: NO_PAGE,
	confirm: NO_PAGE,
	localStorage: NO_PAGE,
	sessionStorage: NO_PAGE,
	XMLHttpRequest: NO_PAGE + ': use fetch',
	Deno: 'this is not Deno; modules of Node such as node:fs are here',
	Bun: 'this is not Bun; modules of Node such as node:fs are here',
	Worker: 'a program has one thread here',
	SharedArrayBuffer: 'a program has no shared memory here',
	WebAssembly: 'JavaScript cannot compile it here; curfew run PROGRAM.wasm runs it',
};
const hintsOnCodes = {
	__proto__: null,
	ENOENT: 'a program sees only the directories of --dir HOST::GUEST',
	EROFS: '--dir HOST::GUEST:rw lets a program write there',
};
const NOT_DEFINED = ' is not defined';

function hintOn(error, kind, message) {
	if (kind !== 'Error') return undefined;
	if (message === "Unexpected token '<'") return 'JSX has to be compiled first, for example by esbuild';
	const end = message.length - NOT_DEFINED.length;
	if (end > 0 && slice(message, end) === NOT_DEFINED) return hintsOnNames[slice(message, 0, end)];
	const code = safeGet(error, 'code');
	return typeof code === 'string' && typeof safeGet(error, 'syscall') === 'string' ? hintsOnCodes[code] : undefined;
}

function describeError(error) {
	const kind = classOf(error);
	const budget = { __proto__: null, errors: MAX_ERRORS, text: MAX_PROPERTIES_TEXT, nesting: 0, inside: [] };
	const details = isObject(error) ? safeText(() => '{' + detailsText(error, kind, budget) + '}') : undefined;
	const message = thrownMessage(error, kind),
		hint = hintOn(error, kind, message);
	return [thrownName(error, kind), hint === undefined ? message : message + ' (' + hint + ')', details];
}

// The error for a value that has no JSON: (what JSON.stringify threw, where it failed).
function refuseValue(reason, place) {
	const text = isErrorObject(classOf(reason)) ? thrownMessage(reason, 'Error') : inspect(reason, asItIs);
	const lineEnd = indexOf(text, '\n'),
		why = lineEnd < 0 ? text : slice(text, 0, lineEnd);
	return new TypeError('the value has no JSON' + (place === '' ? '' : ' at ' + place) + ': ' + why, {
		__proto__: null,
		cause: reason,
	});
}
