// SPDX-License-Identifier: Apache-2.0
// The web platform as a program sees it. The files of this directory are joined in the order of their names into one
// function, which the guest calls once with its internal helpers. This file keeps the built-ins that the others use. A
// program may replace any built-in later, and must not reach or confuse the code here by that. So the rest uses no
// method of an object that it does not own, no iteration over its own arrays, and never hands out `native`.
(function (native) {
	'use strict';

	const { bind, call } = Function.prototype;
	// uncurry(f)(self, a, b) is f.call(self, a, b), even if the program has changed Function.prototype.
	const uncurry = bind.bind(call);
	const getterOf = (object, key) => uncurry(Object.getOwnPropertyDescriptor(object, key).get);

	const {
		write, random, setTimer, clearTimer, unrefTimer, checkpoint, progress, remaining, aborted, setRunSignal, showRunSignal, abortedGetter, limits, params, user, secret,
		clock, startOperation, sendOperation, cancelOperation, holdProgram, hostFunction,
		utf8Encode, utf8EncodeInto, decode, findBytes, maskBytes, queueTask, formParse, formSerialize, urlParse, urlSet,
		urlPattern, matchUrlPattern,
		openPacker, openBrotli, stepPacker,
		digest, hmac, hkdf, pbkdf2, aes, newHasher, updateHasher, finishHasher, copyHasher, checkRsa, makeRsa, fillRsa, rsa,
		makeEc, ecPoint, ecPublic, ecSign, ecVerify, ecDerive, edPublic, edSign, edVerify, xDerive,
		classOf, proxyTarget, proxyParts, promiseState, promiseResult, put, traceOf, setTrace, iteratorItems, clonePlain,
		writeBytes, exit, env, givenFiles, importMapText, openModule, moduleText, dropModule, placeOfImport, compileText, requireModule, entryPath, noteProcess,
		assetText, assetScript, lazy, whole, nodeNatives, zoneAt, defaultZone,
	} = native;

	const { Array, ArrayBuffer, DataView, Date, DOMException, Error, Map, Number, Object, Promise, RangeError, RegExp, Set, String,
		Symbol, TypeError, Uint8Array } = globalThis;
	const { apply, ownKeys, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Reflect;
	const { keys: objectKeys, freeze, create: createObject, setPrototypeOf } = Object;
	const { isArray } = Array;
	const { isNaN: isNotANumber, parseFloat: toFloat, parseInt: toInteger } = Number;
	const { floor, max, min, round, sqrt, trunc } = Math;
	const { stringify } = JSON;
	const { now: dateNow } = Date;
	const { fromBase64 } = Uint8Array;
	const { queueMicrotask: enqueueMicrotask, atob: decodeBase64, btoa: encodeBase64 } = globalThis;

	const hasOwn = uncurry(Object.prototype.hasOwnProperty);
	const isEnumerable = uncurry(Object.prototype.propertyIsEnumerable);
	const join = uncurry(Array.prototype.join);
	const sortArray = uncurry(Array.prototype.sort);
	const searchArray = uncurry(Array.prototype.indexOf);
	const moveInArray = uncurry(Array.prototype.copyWithin);
	const slice = uncurry(String.prototype.slice);
	const indexOf = uncurry(String.prototype.indexOf);
	const codeUnit = uncurry(String.prototype.charCodeAt);
	const startsWith = uncurry(String.prototype.startsWith);
	const includes = uncurry(String.prototype.includes);
	const repeat = uncurry(String.prototype.repeat);
	const padStart = uncurry(String.prototype.padStart);
	const padEnd = uncurry(String.prototype.padEnd);
	const trim = uncurry(String.prototype.trim);
	const lowerCase = uncurry(String.prototype.toLowerCase);
	const wellFormed = uncurry(String.prototype.toWellFormed);
	const upperCase = uncurry(String.prototype.toUpperCase);
	const promiseThen = uncurry(Promise.prototype.then);
	const mapGet = uncurry(Map.prototype.get);
	const mapSet = uncurry(Map.prototype.set);
	const mapHas = uncurry(Map.prototype.has);
	const mapDelete = uncurry(Map.prototype.delete);
	const mapClear = uncurry(Map.prototype.clear);
	const mapForEach = uncurry(Map.prototype.forEach);
	const mapSize = getterOf(Map.prototype, 'size');
	const setAdd = uncurry(Set.prototype.add);
	const setForEach = uncurry(Set.prototype.forEach);
	const setSize = getterOf(Set.prototype, 'size');
	const dateValue = uncurry(Date.prototype.getTime);
	const dateText = uncurry(Date.prototype.toISOString);
	const functionText = uncurry(Function.prototype.toString);
	const regexpText = uncurry(RegExp.prototype.toString);
	const regexpSource = getterOf(RegExp.prototype, 'source');
	const symbolText = uncurry(Symbol.prototype.toString);
	const bigintValue = uncurry(BigInt.prototype.valueOf);
	const booleanValue = uncurry(Boolean.prototype.valueOf);
	const numberValue = uncurry(Number.prototype.valueOf);
	const stringValue = uncurry(String.prototype.valueOf);
	const symbolValue = uncurry(Symbol.prototype.valueOf);
	const numberText = uncurry(Number.prototype.toString);
	const fixedText = uncurry(Number.prototype.toFixed);

	const typedArrayPrototype = getPrototypeOf(Uint8Array.prototype);
	const typedArrayTag = getterOf(typedArrayPrototype, Symbol.toStringTag);
	const typedArrayBuffer = getterOf(typedArrayPrototype, 'buffer');
	const typedArrayOffset = getterOf(typedArrayPrototype, 'byteOffset');
	const typedArrayBytes = getterOf(typedArrayPrototype, 'byteLength');
	const typedArrayLength = getterOf(typedArrayPrototype, 'length');
	const typedArrayAt = uncurry(typedArrayPrototype.at);
	const typedArraySet = uncurry(typedArrayPrototype.set);
	const dataViewBuffer = getterOf(DataView.prototype, 'buffer');
	const dataViewOffset = getterOf(DataView.prototype, 'byteOffset');
	const dataViewBytes = getterOf(DataView.prototype, 'byteLength');
	const bufferBytes = getterOf(ArrayBuffer.prototype, 'byteLength');
	const bufferMaxBytes = getterOf(ArrayBuffer.prototype, 'maxByteLength');
	const bufferResizable = getterOf(ArrayBuffer.prototype, 'resizable');
	const bufferDetached = getterOf(ArrayBuffer.prototype, 'detached');
	const bufferTransfer = uncurry(ArrayBuffer.prototype.transfer);

	// The engine evaluates a template by calling String.prototype.concat, which a program can replace. So the prelude
	// uses no templates.
	const toText = (value) => {
		if (typeof value === 'symbol')
			throw new TypeError('A symbol cannot be converted to a string');
		return String(value);
	};
	const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
	const push = (list, value) => put(list, list.length, value);
