// SPDX-License-Identifier: Apache-2.0
// The parts of util that concern the platform are the prelude's own.
const { inspect: show, formatText, classOf, isProxy } = binding;

const { coded, needs, wrongType } = require('internal/errors');

const custom = Symbol.for('nodejs.util.inspect.custom');
const stylize = (text, name) => {
	const style = inspect.colors[inspect.styles[name]];
	return style === undefined ? text : `\u001b[${style[0]}m${text}\u001b[${style[1]}m`;
};
const inspect = (value, options, ...rest) =>
	show(value, typeof options === 'boolean' ? { showHidden: options, depth: rest[0], colors: rest[1], customInspect: rest[2] } : options, stylize, inspect);
inspect.custom = custom;
const defaultOptions = { showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100, maxStringLength: 10000, breakLength: 80, compact: 3, sorted: false, getters: false, numericSeparator: false };
// They hold for the console as well. A program that never asks for them pays nothing.
Object.defineProperty(inspect, 'defaultOptions', { enumerable: true, get() {
	binding.setUsualOptions(defaultOptions);
	return defaultOptions;
}, set(options) {
	needs.object(options, 'options');
	Object.assign(inspect.defaultOptions, options);
} });

const promisify = (original) => {
	needs.callable(original, 'original');
	const given = original[promisify.custom];
	if (given) {
		needs.callable(given, 'util.promisify.custom');
		return Object.defineProperty(given, promisify.custom, { value: given, enumerable: false, writable: false, configurable: true });
	}
	// The platform's own functions are not changed.
	if (original === binding.timers.setTimeout || original === binding.timers.setImmediate)
		return require('timers/promises')[original.name];
	const made = function (...args) {
		return new Promise((resolve, reject) => original.call(this, ...args, (error, value) => error ? reject(error) : resolve(value)));
	};
	Object.setPrototypeOf(made, Object.getPrototypeOf(original));
	Object.defineProperty(made, promisify.custom, { value: made, enumerable: false, writable: false, configurable: true });
	return Object.defineProperties(made, Object.getOwnPropertyDescriptors(original));
};
promisify.custom = Symbol.for('nodejs.util.promisify.custom');

const callbackify = (original) => {
	needs.callable(original, 'original');
	const made = function (...args) {
		const done = args.pop();
		needs.callable(done, 'last argument');
		original.apply(this, args).then((value) => require('process').nextTick(done.bind(this, null, value)),
			(error) => require('process').nextTick(done.bind(this, error || Object.assign(coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value'), { reason: error }))));
	};
	return Object.defineProperties(made, { name: { value: `${original.name}Callbackified`, configurable: true }, length: { value: original.length + 1, configurable: true } });
};

const inherits = (constructor, parent) => {
	if (constructor === undefined || constructor === null)
		wrongType('ctor', 'of type function', constructor);
	if (parent === undefined || parent === null)
		wrongType('superCtor', 'of type function', parent);
	if (parent.prototype === undefined)
		wrongType('superCtor.prototype', 'of type object', parent.prototype);
	Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
	Object.setPrototypeOf(constructor.prototype, parent.prototype);
};

const deprecated = new Set();
const deprecate = (original, message, code) => {
	const made = function (...args) {
		if (!deprecated.has(code ?? message)) {
			deprecated.add(code ?? message);
			require('process').emitWarning(message, 'DeprecationWarning', code);
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
	isCryptoKey: (value) => binding.crypto.isCryptoKey(value), isKeyObject: (value) => value?.[Symbol.toStringTag] === 'KeyObject' && value instanceof require('crypto').KeyObject, isWebAssemblyCompiledModule: () => false,
};
for (const name of typedArrays)
	types['is' + name] = (value) => isTypedArray(value) && value[Symbol.toStringTag] === name;

// ---- Equality ----

function isDeepStrictEqual(a, b, strict = true, seen = new Map()) {
	if (strict ? Object.is(a, b) : a === b || (a !== a && b !== b))
		return true;
	// A value that is no object never equals an object.
	if (!strict && (typeof a !== 'object' || a === null) && (typeof b !== 'object' || b === null))
		return a == b; // eslint-disable-line eqeqeq
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
	if (a instanceof URL && b instanceof URL && a.href !== b.href)
		return false;
	if (types.isBoxedPrimitive(a) && !Object.is(a.valueOf(), b.valueOf()))
		return false;
	if (ArrayBuffer.isView(a) || types.isArrayBuffer(a)) {
		if (!strict && types.isTypedArray(a) && /^Float/.test(a[Symbol.toStringTag]))
			return a.length === b.length && a.every((item, i) => item === b[i]);
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
const refuseStyle = (name) => { throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'format' must be one of: ${Object.keys(inspect.colors).map((one) => `'${one}'`).join(', ')}. Received ${show(name)}`); };
const styles = inspect.colors = Object.assign(Object.create(null), { reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29],
	doubleunderline: [21, 24], black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39],
	bgBlack: [40, 49], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49], bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49], framed: [51, 54], overlined: [53, 55],
	gray: [90, 39], redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39], magentaBright: [95, 39], cyanBright: [96, 39], whiteBright: [97, 39],
	bgGray: [100, 49], bgRedBright: [101, 49], bgGreenBright: [102, 49], bgYellowBright: [103, 49], bgBlueBright: [104, 49], bgMagentaBright: [105, 49], bgCyanBright: [106, 49], bgWhiteBright: [107, 49] });
const otherNames = { gray: ['grey', 'blackBright'], bgGray: ['bgGrey', 'bgBlackBright'], dim: ['faint'], inverse: ['swapcolors', 'swapColors'], hidden: ['conceal'],
	strikethrough: ['strikeThrough', 'crossedout', 'crossedOut'], doubleunderline: ['doubleUnderline'] };
for (const [name, others] of Object.entries(otherNames)) {
	for (const other of others)
		Object.defineProperty(styles, other, { get() { return this[name]; }, set(value) { this[name] = value; }, configurable: true });
}
inspect.styles = Object.assign(Object.create(null), { special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold', string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline' });
// The output is no terminal.
const styleText = (format, text, { validateStream = true, stream = require('process').stdout } = {}) => {
	needs.text(text, 'text');
	needs.boolean(validateStream, 'options.validateStream');
	const names = [format].flat();
	names.forEach((name) => known(text, name));
	if (validateStream && !stream?.isTTY)
		return text;
	const all = names.filter((name) => name !== 'none').map((name) => styles[name]);
	return all.map(([on]) => `\u001b[${on}m`).join('') + text + all.reverse().map(([, off]) => `\u001b[${off}m`).join('');
};

// ---- Errors of the system ----

const systemErrors = () => require('internal/system_errors').systemErrors;
const needErrno = (value) => {
	needs.number(value, 'err');
	if (!(value < 0 && Number.isSafeInteger(value)))
		require('internal/errors').outOfRange('err', 'a negative integer', value);
};
const getSystemErrorName = (number) => {
	needErrno(number);
	return systemErrors().get(number)?.[0] ?? `Unknown system error ${number}`;
};
const getSystemErrorMessage = (number) => {
	needErrno(number);
	return systemErrors().get(number)?.[1] ?? `Unknown system error ${number}`;
};

// ---- The stack, and the log of a section ----

function getCallSites(count = 8) {
	if (typeof count === 'object')
		count = 8;
	needs.integer(count, 'frameCount', 1, 200);
	const before = Error.prepareStackTrace, holder = {};
	Error.prepareStackTrace = (_, sites) => sites;
	try {
		Error.captureStackTrace(holder, getCallSites);
		return [...holder.stack].slice(0, count).map((site) => ({ functionName: site.getFunctionName() ?? '', scriptId: '0', scriptName: site.getFileName() ?? '', lineNumber: site.getLineNumber() ?? 0,
			columnNumber: site.getColumnNumber() ?? 0, column: site.getColumnNumber() ?? 0 }));
	} finally {
		Error.prepareStackTrace = before;
	}
}
function debuglog(section, callback) {
	const wanted = (require('process').env.NODE_DEBUG ?? '').split(/[\s,]+/).filter(Boolean).map((word) => word.replace(/[|\\{}()[\]^$+?.]/g, '\\$&').replace(/\*/g, '.*'));
	const enabled = wanted.length > 0 && new RegExp(`^(?:${wanted.join('|')})$`, 'i').test(section);
	const log = Object.defineProperty((...args) => enabled && binding.write(2, `${section.toUpperCase()} ${require('process').pid}: ${formatText(args)}\n`), 'enabled', { get: () => enabled, configurable: true, enumerable: true });
	callback?.(log);
	return log;
}
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const log = (...args) => {
	const now = new Date();
	console.log('%s - %s', `${now.getDate()} ${months[now.getMonth()]} ${[now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')}`, formatText(args));
};
const aborted = async (signal, resource) => {
	needs.signal(signal ?? null, 'signal');
	if (resource === null || (typeof resource !== 'object' && typeof resource !== 'function'))
		wrongType('resource', 'of type object', resource);
	return signal.aborted ? undefined : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
};


module.exports = {
	inspect, format: (...args) => formatText(args), formatWithOptions: (options, ...args) => formatText(args, (value, more) => inspect(value, { ...options, ...more })), promisify, callbackify, inherits, deprecate,
	types, isDeepStrictEqual: (a, b) => isDeepStrictEqual(a, b), debuglog, debug: debuglog, styleText, parseArgs: (config) => require('internal/parse_args')(config), parseEnv: (content) => require('internal/parse_env')(content), getCallSites, log,
	transferableAbortController: () => new AbortController(), transferableAbortSignal(signal) {
		needs.signal(signal ?? null, 'signal');
		return signal;
	},
	stripVTControlCharacters: (text) => needs.text(text, 'str') ?? text.replace(/\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007/g, ''),
	toUSVString: (text) => String(text).toWellFormed(), getSystemErrorName, getSystemErrorMessage, getSystemErrorMap: () => new Map(systemErrors()), aborted,
	TextEncoder, TextDecoder, isArray: Array.isArray, isBoolean: (x) => typeof x === 'boolean', isNull: (x) => x === null, isNullOrUndefined: (x) => x == null,
	isNumber: (x) => typeof x === 'number', isString: (x) => typeof x === 'string', isSymbol: (x) => typeof x === 'symbol', isUndefined: (x) => x === undefined,
	isRegExp: types.isRegExp, isObject: (x) => x !== null && typeof x === 'object', isDate: types.isDate, isError: types.isNativeError,
	isFunction: (x) => typeof x === 'function', isPrimitive: (x) => x === null || !/^(object|function)$/.test(typeof x), isBuffer: (x) => require('buffer').Buffer.isBuffer(x),
	_extend: Object.assign, _isDeepEqual: (a, b) => isDeepStrictEqual(a, b, false),
};
for (const name of ['MIMEType', 'MIMEParams'])
	Object.defineProperty(module.exports, name, { configurable: true, enumerable: true, get: () => require('internal/mime')[name] });
