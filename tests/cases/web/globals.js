// SPDX-License-Identifier: Apache-2.0
// The names of globals, their attributes, and names that must not exist.
// outcome: ok
function same(actual, expected, what) {
	if (JSON.stringify(actual) !== JSON.stringify(expected))
		throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}
const isNative = (f) => Function.prototype.toString.call(f).includes('[native code]');
const functions = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'queueMicrotask', 'structuredClone',
	'atob', 'btoa'];
for (const name of functions) {
	const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
	same([typeof descriptor.value, descriptor.value.name, descriptor.writable, descriptor.enumerable,
		descriptor.configurable, 'prototype' in descriptor.value],
		['function', name, true, true, true, false], name);
}
const interfaces = ['AbortController', 'AbortSignal', 'CustomEvent', 'DOMException', 'Event', 'EventTarget',
	'TextDecoder',
	'TextEncoder', 'URL', 'URLSearchParams'];
for (const name of interfaces) {
	const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
	same([typeof descriptor.value, descriptor.value.name, descriptor.writable, descriptor.enumerable,
		descriptor.configurable,
		descriptor.value.prototype[Symbol.toStringTag]], ['function', name, true, false, true, name], name);
	for (const key of Reflect.ownKeys(descriptor.value.prototype)) {
		if (typeof key === 'string' && key !== 'constructor')
			same([name, key, Object.getOwnPropertyDescriptor(descriptor.value.prototype, key).enumerable], [name, key, true],
				'members are enumerable');
	}
}
same([self === globalThis, Object.getPrototypeOf(Object.getPrototypeOf(console)) === Object.prototype, `${console}`],
	[true, true, '[object console]'], 'self and console');
for (const name of ['SharedArrayBuffer', 'std', 'os', 'bjson', 'print', 'gc', 'process', 'require', 'WebAssembly',
	'XMLHttpRequest',
	'scriptArgs', 'Worker', 'native'])
	same([name, typeof globalThis[name]], [name, 'undefined'], 'absent');
if (typeof Atomics === 'object')
	same([typeof Atomics.wait, typeof Atomics.waitAsync, typeof Atomics.notify], ['undefined', 'undefined', 'undefined'],
		'no waiting');
const error = new DOMException('m', 'NotFoundError');
same([error.name, error.message, error.code, DOMException.ABORT_ERR, error instanceof Error, `${error}`],
	['NotFoundError', 'm', 8, 20, true, 'NotFoundError: m'], 'DOMException');
same([new DOMException().name, new DOMException().message, new DOMException('', 'Unknown').code], ['Error', '', 0],
	'defaults of DOMException');
