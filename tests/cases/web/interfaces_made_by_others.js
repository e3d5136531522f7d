// SPDX-License-Identifier: Apache-2.0
// Interfaces whose objects only the platform creates: each exists, is not enumerable, names its objects, and rejects `new`.
// outcome: ok
// value: []
const names = ['PerformanceEntry', 'PerformanceMeasure', 'ReadableByteStreamController', 'ReadableStreamBYOBRequest',
	'ReadableStreamDefaultController', 'SubtleCrypto', 'TransformStreamDefaultController', 'WritableStreamDefaultController'];
const needing = ['PerformanceMark', 'ReadableStreamBYOBReader', 'ReadableStreamDefaultReader', 'WritableStreamDefaultWriter'];

function thrown(call) {
	try {
		call();
		return 'nothing';
	} catch (error) {
		return error.name;
	}
}

[...names, ...needing].filter(name => {
	const Interface = globalThis[name];
	return typeof Interface !== 'function' || Object.keys(globalThis).includes(name) ||
		Interface.prototype[Symbol.toStringTag] !== name || thrown(() => new Interface()) !== 'TypeError' ||
		thrown(() => Interface()) !== 'TypeError';
});
