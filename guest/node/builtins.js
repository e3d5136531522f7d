// SPDX-License-Identifier: Apache-2.0
// Node's modules, and TypeScript. They are scripts in the library (guest/node), which a program has in its memory only
// after it asked for them.

let builtinList; // their names

const builtinNames = () => builtinList ??= assetScript('node') ?? [];
const notBuilt = 'this curfew was built without it, since node and npm were missing';
const noBuiltin = () => builtinNames().length > 0 ? 'Node has no such module, or it is not here' : notBuilt;
// Some have no name without "node:".
const isBuiltin = (name) => isOneOf(builtinNames(), name) || (startsWith(name, 'node:') && isOneOf(builtinNames(), slice(name, 5)));

const builtins = { __proto__: null }; // name -> { exports }, for the modules that were loaded

function loadBuiltin(name) {
	const known = builtins[name];
	if (known !== undefined)
		return known.exports;
	const script = assetScript('node/' + name);
	if (script === undefined)
		throw new Error(builtinNames().length > 0 ? 'Node has no module ' + quote(name) : 'node:' + name + ': ' + notBuilt);
	const module = builtins[name] = { exports: {} };
	apply(script, undefined, [loadBuiltin, module, module.exports, nodeBinding]);
	if (name === 'process')
		noteProcess();
	return module.exports;
}

// The names of a module's exports, without "default".
function builtinExports(path) {
	const exports = loadBuiltin(slice(path, 5)), names = [];
	const keys = isObject(exports) ? ownKeys(exports) : [];
	for (let i = 0; i < keys.length; i++) {
		if (typeof keys[i] === 'string' && keys[i] !== 'default' && !(typeof exports === 'function' && isFunctionKey(keys[i])))
			push(names, keys[i]);
	}
	return names;
}
const isFunctionKey = (key) => key === 'length' || key === 'name' || key === 'prototype' || key === 'arguments' || key === 'caller';

// ---- Timers ----

class Immediate {
	#callback;
	constructor(callback) { this.#callback = callback; }
	ref() { return this; }
	unref() { return this; }
	hasRef() { return true; }
	static {
		runImmediate = (immediate) => {
			const callback = immediate.#callback;
			if (callback)
				callback();
		};
		clearImmediateOf = (value) => {
			if (isObject(value) && #callback in value)
				value.#callback = undefined;
		};
	}
}
var runImmediate, clearImmediateOf;

const { setTimeout: startTimeout, setInterval: startInterval, clearTimeout: stopTimeout } = timerFunctions;
const nodeTimers = {
	setTimeout: startTimeout, setInterval: startInterval, clearTimeout: stopTimeout, clearInterval: stopTimeout,
	setImmediate(callback, ...args) {
		toHandler(callback);
		const made = new Immediate(() => apply(callback, undefined, args));
		queueTask(() => runImmediate(made));
		return made;
	},
	clearImmediate(immediate) { clearImmediateOf(immediate); },
};

let hasFailed = false;
const fail = () => { throw new Error('The program has failed already'); };
// The text of a file of the program's, or undefined.
function sourceOf(file) {
	const place = openModule(file);
	if (typeof place !== 'string')
		return undefined;
	const text = moduleText(place);
	dropModule(place);
	return text;
}

// The internals of the platform that the scripts may use.
const nodeBinding = {
	inspect: inspectFor, setUsualOptions,
	formatText: (args, show) => format(args, show), classOf, isProxy: (value) => isObject(value) && proxyTarget(value) !== undefined,
	params: () => curfew.params, exit: (code) => hasFailed ? fail() : exit(code), mainPath: () => '/' + (entryPath() ?? 'main.js'),
	write(stream, chunk) {
		if (typeof chunk === 'string')
			return write(stream, chunk);
		return writeBytes(stream, bytesOf(chunk));
	},
	crypto: { hkdf, pbkdf2, aes, newHasher, updateHasher, finishHasher, copyHasher, importKeyFrom, exportKeyTo, newPair, newCryptoKey, isCryptoKey, keyRecord, rsa, ecSign, ecVerify, ecDerive, ecPublic, ecPoint,
		edSign, edVerify, xDerive }, zlib: { openBrotli, openPacker, stepPacker },
	fetchEncoded,
	natives: nodeNatives(), sourceOf, timers: nodeTimers, builtinNames, builtin: loadBuiltin, makeRequire,
};

// ---- Node's globals ----

const refuseShared = (value) => { throw new TypeError(inspectFor(value) + ' is no SharedArrayBuffer'); };
// Packages look it up to ask whether a value is one, or make one in advance. No other thread could share it, so it is an
// ArrayBuffer.
class NoSharedArrayBuffer {
	constructor(length, options) { return new ArrayBuffer(length, options); }
	get byteLength() { return refuseShared(this); }
	get maxByteLength() { return refuseShared(this); }
	get growable() { return refuseShared(this); }
	grow() { refuseShared(this); }
	slice() { refuseShared(this); }
}
defineProperty(NoSharedArrayBuffer, 'name', { __proto__: null, value: 'SharedArrayBuffer', configurable: true });

let hasNodeGlobals = false;

function addNodeGlobals() {
	if (hasNodeGlobals)
		return;
	hasNodeGlobals = true;
	const lazily = (name, make) => defineProperty(globalThis, name, { __proto__: null, configurable: true, enumerable: false,
		get: make, set(value) { expose(name, value, false); } });
	expose('global', globalThis, false);
	lazily('process', () => loadBuiltin('process'));
	lazily('Buffer', () => loadBuiltin('buffer').Buffer);
	if (globalThis.SharedArrayBuffer === undefined)
		lazily('SharedArrayBuffer', () => NoSharedArrayBuffer);
	expose('setImmediate', nodeTimers.setImmediate, true);
	expose('clearImmediate', nodeTimers.clearImmediate, true);
}

// ---- TypeScript ----

let stripper;

function stripTypes(text, name) {
	if (stripper === undefined) {
		const module = { exports: {} }, script = assetScript('typescript');
		if (script === undefined)
			throw new SyntaxError('TypeScript: ' + notBuilt);
		apply(script, undefined, [module, module.exports]);
		stripper = module.exports.default;
	}
	try {
		return stripper(text);
	} catch (error) {
		if (!isObject(error) || typeof error.line !== 'number')
			throw error;
		const told = new SyntaxError(error.message);
		setTrace(told, '    at ' + name + ':' + error.line + ':' + error.column + '\n');
		throw told;
	}
}

// Called when the program is loaded. A later import loads the stripper again.
function forgetStripper() {
	const had = stripper !== undefined;
	stripper = undefined;
	return had;
}

moduleHooks.builtinExports = builtinExports;
moduleHooks.builtin = (path) => loadBuiltin(slice(path, 5));
moduleHooks.isBuiltin = isBuiltin;
moduleHooks.strip = stripTypes;
moduleHooks.forget = forgetStripper;
moduleHooks.globals = addNodeGlobals;
// Called when the program has nothing left to do. A listener may begin something.
moduleHooks.beforeEnd = () => {
	const { exports } = builtins.process;
	return exports.emit('beforeExit', exports.exitCode ?? 0);
};
// Called when nothing is left after that. Notifies the listeners, and sets the exit code that the program chose.
moduleHooks.end = () => {
	const { exports } = builtins.process;
	const { exitCode } = exports;
	exports._exiting = true;
	exports.emit('exit', exitCode ?? 0);
	if (exports.exitCode)
		exit(+exports.exitCode & 255);
};
// Called when the program has failed, with the exit code of that. The failure is known already, and remains the outcome.
moduleHooks.failed = (code) => {
	const { exports } = builtins.process;
	if (exports._exiting)
		return;
	exports._exiting = hasFailed = true;
	exports.exitCode = code;
	exports.emit('exit', code === 13 ? 0 : code); // as in Node
};
