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

// A property as JSON. If JSON.stringify rejects the value, the text that the console would show.
function propertyText(value) {
	try {
		return stringify(value);
	} catch {
		return stringify(inspect(value, asItIs));
	}
}

function propertiesText(value, kind, budget) {
	const keys = objectKeys(value);
	let text = '';
	for (let i = 0; i < keys.length; i++) {
		if (isErrorObject(kind) && errorOwnKeys[keys[i]]) continue;
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
	budget.nesting++;
	if (hasOwn(value, 'cause')) text += ',"cause":' + nestedText(safeGet(value, 'cause'), budget);
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
	if (!isObject(value)) return 'Uncaught';
	const name = safeGet(value, 'name');
	if (typeof name === 'string') return name;
	const made = constructorName(value);
	return made === null || made === 'Object' || made === 'Array' ? 'Uncaught' : made;
}

function thrownMessage(value, kind) {
	if (!isObject(value)) return typeof value === 'symbol' ? symbolText(value) : toText(value);
	const message = safeGet(value, 'message');
	if (typeof message === 'string') return message;
	if (isErrorObject(kind)) return message === undefined ? '' : inspect(message, asItIs);
	return typeof safeGet(value, 'name') === 'string' ? '' : (safeText(() => stringify(value)) ?? '[object]');
}

function describeError(error) {
	const kind = classOf(error);
	const budget = { __proto__: null, errors: MAX_ERRORS, text: MAX_PROPERTIES_TEXT, nesting: 0 };
	const details = isObject(error) ? safeText(() => '{' + detailsText(error, kind, budget) + '}') : undefined;
	return [thrownName(error, kind), thrownMessage(error, kind), details];
}

// The error for a value that has no JSON: (what JSON.stringify threw, where it failed).
function refuseValue(reason, place) {
	const why = isErrorObject(classOf(reason)) ? thrownMessage(reason, 'Error') : inspect(reason, asItIs);
	return new TypeError('the value has no JSON' + (place === '' ? '' : ' at ' + place) + ': ' + why, {
		__proto__: null,
		cause: reason,
	});
}
