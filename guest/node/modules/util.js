// SPDX-License-Identifier: Apache-2.0
// The parts of util that concern the platform are the prelude's own.
const { inspect: show, formatText, classOf, isProxy } = binding;

const custom = Symbol.for('nodejs.util.inspect.custom');
const inspect = (value, options, ...rest) => show(value, typeof options === 'boolean' ? { showHidden: options, depth: rest[0] } : options);
inspect.custom = custom;
inspect.defaultOptions = { depth: 2, colors: false };
inspect.colors = inspect.styles = {};

const promisify = (original) => {
	if (typeof original !== 'function')
		throw Object.assign(new TypeError('The "original" argument must be of type function'), { code: 'ERR_INVALID_ARG_TYPE' });
	if (original[promisify.custom])
		return original[promisify.custom];
	// The platform's own functions are not changed.
	if (original === binding.timers.setTimeout || original === binding.timers.setImmediate)
		return require('timers/promises')[original.name];
	const made = function (...args) {
		return new Promise((resolve, reject) => original.call(this, ...args, (error, value) => error ? reject(error) : resolve(value)));
	};
	Object.setPrototypeOf(made, Object.getPrototypeOf(original));
	return Object.defineProperties(made, Object.getOwnPropertyDescriptors(original));
};
promisify.custom = Symbol.for('nodejs.util.promisify.custom');

const callbackify = (original) => function (...args) {
	const done = args.pop();
	original.apply(this, args).then((value) => queueMicrotask(() => done(null, value)),
		(error) => queueMicrotask(() => done(error || Object.assign(new Error('Promise was rejected with a falsy value'), { code: 'ERR_FALSY_VALUE_REJECTION', reason: error }))));
};

const inherits = (constructor, parent) => {
	Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
	Object.setPrototypeOf(constructor.prototype, parent.prototype);
};

const deprecated = new Set();
const deprecate = (original, message, code) => {
	const made = function (...args) {
		if (!deprecated.has(code ?? message)) {
			deprecated.add(code ?? message);
			console.warn('DeprecationWarning: ' + message);
		}
		return new.target ? Reflect.construct(original, args, new.target) : Reflect.apply(original, this, args);
	};
	Object.setPrototypeOf(made, original);
	if (original.prototype)
		made.prototype = original.prototype;
	return made;
};

const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
const is = (kind) => (value) => classOf(value) === kind;
const typedArrays = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float16Array',
	'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];
const isTypedArray = (value) => ArrayBuffer.isView(value) && classOf(value) !== 'DataView';
const types = {
	isExternal: () => false, isDate: is('Date'), isRegExp: is('RegExp'), isPromise: (value) => value instanceof Promise,
	isMap: is('Map'), isSet: is('Set'), isWeakMap: is('WeakMap'), isWeakSet: is('WeakSet'), isDataView: is('DataView'),
	isArrayBuffer: is('ArrayBuffer'), isSharedArrayBuffer: () => false, isAnyArrayBuffer: is('ArrayBuffer'),
	isArrayBufferView: (value) => ArrayBuffer.isView(value), isTypedArray, isProxy,
	isNativeError: (value) => Error.isError?.(value) ?? value instanceof Error, isModuleNamespaceObject: (value) => tagOf(value) === 'Module',
	isGeneratorFunction: (value) => typeof value === 'function' && /^(Async)?GeneratorFunction$/.test(tagOf(value)),
	isAsyncFunction: (value) => typeof value === 'function' && /^Async/.test(tagOf(value)),
	isGeneratorObject: (value) => /^(Async)?Generator$/.test(tagOf(value)), isArgumentsObject: (value) => tagOf(value) === 'Arguments',
	isMapIterator: (value) => tagOf(value) === 'Map Iterator', isSetIterator: (value) => tagOf(value) === 'Set Iterator',
	isNumberObject: is('Number'), isStringObject: is('String'), isBooleanObject: is('Boolean'), isBigIntObject: is('BigInt'), isSymbolObject: is('Symbol'),
	isBoxedPrimitive: (value) => ['Number', 'String', 'Boolean', 'BigInt', 'Symbol'].includes(classOf(value)),
	isCryptoKey: () => false, isKeyObject: () => false, isWebAssemblyCompiledModule: () => false,
};
for (const name of typedArrays)
	types['is' + name] = (value) => isTypedArray(value) && value[Symbol.toStringTag] === name;

// ---- Equality ----

function isDeepStrictEqual(a, b, strict = true, seen = new Map()) {
	if (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)) // eslint-disable-line eqeqeq
		return true;
	if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
		return false;
	if ((strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) || tagOf(a) !== tagOf(b) || Array.isArray(a) !== Array.isArray(b))
		return false;
	if (seen.get(a) === b)
		return true;
	seen.set(a, b);
	const same = (x, y) => isDeepStrictEqual(x, y, strict, seen);
	if (types.isDate(a) && a.getTime() !== b.getTime())
		return false;
	if (types.isRegExp(a) && (a.source !== b.source || a.flags !== b.flags || a.lastIndex !== b.lastIndex))
		return false;
	if (types.isNativeError(a) && (a.message !== b.message || a.name !== b.name || !same(a.cause, b.cause) || !same(a.errors, b.errors)))
		return false;
	if (types.isBoxedPrimitive(a) && !Object.is(a.valueOf(), b.valueOf()))
		return false;
	if (ArrayBuffer.isView(a) || types.isArrayBuffer(a)) {
		const bytes = (value) => new Uint8Array(value.buffer ?? value, value.byteOffset ?? 0, value.byteLength);
		const x = bytes(a), y = bytes(b);
		if (x.length !== y.length || x.some((byte, i) => byte !== y[i]))
			return false;
	}
	if (types.isSet(a) && !sameSets(a, b, same))
		return false;
	if (types.isMap(a) && !sameMaps(a, b, same))
		return false;
	const keysOf = (value) => ArrayBuffer.isView(value) ? Object.keys(value).filter((key) => !/^\d+$/.test(key)) : Object.keys(value);
	const symbolsOf = (value) => strict ? Object.getOwnPropertySymbols(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key)) : [];
	const keys = [...keysOf(a), ...symbolsOf(a)];
	if (keys.length !== keysOf(b).length + symbolsOf(b).length || (Array.isArray(a) && a.length !== b.length))
		return false;
	return keys.every((key) => Object.prototype.hasOwnProperty.call(b, key) && same(a[key], b[key]));
}
function sameSets(a, b, same) {
	if (a.size !== b.size)
		return false;
	const rest = [...b].filter((item) => !a.has(item));
	return [...a].every((item) => {
		if (b.has(item))
			return true;
		const at = rest.findIndex((other) => same(item, other));
		if (at >= 0)
			rest.splice(at, 1);
		return at >= 0;
	});
}
function sameMaps(a, b, same) {
	if (a.size !== b.size)
		return false;
	const rest = [...b].filter(([key]) => !a.has(key));
	return [...a].every(([key, value]) => {
		if (b.has(key))
			return same(value, b.get(key));
		const at = rest.findIndex(([other, otherValue]) => same(key, other) && same(value, otherValue));
		if (at >= 0)
			rest.splice(at, 1);
		return at >= 0;
	});
}

// ---- Text ----

const known = (text, name) => styles[name] || name === 'none' ? text : refuseStyle(name);
const refuseStyle = (name) => { throw Object.assign(new TypeError('There is no style ' + name), { code: 'ERR_INVALID_ARG_VALUE' }); };
const styles = { bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], inverse: [7, 27], strikethrough: [9, 29], black: [30, 39], red: [31, 39],
	green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39], gray: [90, 39], grey: [90, 39] };
// The output is no terminal.
const styleText = (format, text, { validateStream = true } = {}) => validateStream ? [format].flat().reduce(known, text) : [format].flat().reduceRight((inner, name) => {
	const style = styles[name];
	if (!style)
		return known(inner, name);
	return '\u001b[' + style[0] + 'm' + inner + '\u001b[' + style[1] + 'm';
}, text);

function parseArgs({ args = process.argv.slice(2), options = {}, allowPositionals, strict = true } = {}) {
	const values = Object.create(null), positionals = [];
	const fail = (message, code) => { throw Object.assign(new TypeError(message), { code }); };
	const set = (name, value) => options[name]?.multiple ? (values[name] ??= []).push(value) : values[name] = value;
	const nameOf = (letter) => Object.keys(options).find((name) => options[name].short === letter) ?? letter;
	for (const [name, option] of Object.entries(options)) {
		if (option.default !== undefined)
			values[name] = option.default;
	}
	for (let i = 0; i < args.length; i++) {
		const arg = args[i], long = /^--([^=]+)(?:=([\s\S]*))?$/.exec(arg), short = /^-([^-])([\s\S]*)$/.exec(arg);
		if (arg === '--') {
			positionals.push(...args.slice(i + 1));
			break;
		}
		if (!long && !short) {
			positionals.push(arg);
			continue;
		}
		const name = long ? long[1] : nameOf(short[1]), option = options[name];
		if (strict && !option)
			fail('Unknown option \'' + arg + '\'', 'ERR_PARSE_ARGS_UNKNOWN_OPTION');
		if (option?.type === 'string') {
			const value = (long ? long[2] : short[2] || undefined) ?? args[++i];
			if (value === undefined)
				fail('Option \'--' + name + ' <value>\' argument missing', 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE');
			set(name, value);
		} else {
			set(name, long?.[2] ?? true);
			if (short?.[2])
				args = [...args.slice(0, i + 1), '-' + short[2], ...args.slice(i + 1)];
		}
	}
	if (strict && !(allowPositionals ?? !strict) && positionals.length > 0)
		fail('Unexpected argument \'' + positionals[0] + '\'', 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL');
	return { values, positionals };
}

const debuglog = () => Object.assign(() => {}, { enabled: false });
module.exports = {
	inspect, format: (...args) => formatText(args), formatWithOptions: (options, ...args) => formatText(args), promisify, callbackify, inherits, deprecate,
	types, isDeepStrictEqual: (a, b) => isDeepStrictEqual(a, b), debuglog, debug: debuglog, styleText, parseArgs,
	stripVTControlCharacters: (text) => String(text).replace(/\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007/g, ''),
	toUSVString: (text) => String(text).toWellFormed(), getSystemErrorName: (code) => 'error ' + code, aborted: (signal) => new Promise((resolve) =>
		signal.aborted ? resolve() : signal.addEventListener('abort', resolve, { once: true })),
	TextEncoder, TextDecoder, isArray: Array.isArray, isBoolean: (x) => typeof x === 'boolean', isNull: (x) => x === null, isNullOrUndefined: (x) => x == null,
	isNumber: (x) => typeof x === 'number', isString: (x) => typeof x === 'string', isSymbol: (x) => typeof x === 'symbol', isUndefined: (x) => x === undefined,
	isRegExp: types.isRegExp, isObject: (x) => x !== null && typeof x === 'object', isDate: types.isDate, isError: types.isNativeError,
	isFunction: (x) => typeof x === 'function', isPrimitive: (x) => x === null || !/^(object|function)$/.test(typeof x), isBuffer: (x) => require('buffer').Buffer.isBuffer(x),
	_extend: Object.assign, _isDeepEqual: (a, b) => isDeepStrictEqual(a, b, false),
};
