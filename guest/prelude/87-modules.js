// SPDX-License-Identifier: Apache-2.0
// What imports mean, and Node's modules, are a script of its own (guest/node/resolve.js and builtins.js), which a program has in
// memory only if it imports something. These are the names of the prelude that it uses; guest/node/make.mjs reads them here.

	const moduleTools = () => ({ __proto__: null,
		Error, Map, RangeError, RegExp, Set, TypeError, aes, apply, assetScript, bytesOf, classOf, codeUnit, compileText,
		copyHasher, curfew, defineProperty, dropModule, entryPath, exit, expose, finishHasher, format, getPrototypeOf,
		hasOwn, hkdf, includes, indexOf, inspect, isArray, isObject, join, lastIndexOf, lowerCase, mapGet, mapHas, mapSet,
		max, moduleText, newHasher, noteProcess, objectKeys, openModule, openPacker, ownKeys, parseJson, pbkdf2,
		percentDecode, placeOfImport, proxyTarget, push, queueTask, requireModule, setAdd, setForEach, setHas, setTrace,
		slice, startsWith, stepPacker, textOf, timerFunctions, toHandler, toText, uncurry, updateHasher, urlParse, write,
		writeBytes, HREF,
	});
	const loadModules = () => apply(assetScript('modules'), undefined, [moduleTools()]);
