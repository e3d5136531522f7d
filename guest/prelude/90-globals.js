// SPDX-License-Identifier: Apache-2.0
// Defines the globals, and removes those that programs must not have.

const interfaces = {
	AbortController,
	AbortSignal,
	Blob,
	BroadcastChannel,
	ByteLengthQueuingStrategy,
	CloseEvent,
	CompressionStream,
	CountQueuingStrategy,
	Crypto,
	CryptoKey,
	CustomEvent,
	DOMException,
	DecompressionStream,
	ErrorEvent,
	Event,
	EventSource,
	EventTarget,
	File,
	FormData,
	Headers,
	MessageChannel,
	MessageEvent,
	MessagePort,
	Navigator,
	Performance,
	PerformanceEntry,
	PerformanceMark,
	PerformanceMeasure,
	PromiseRejectionEvent,
	ReadableByteStreamController,
	ReadableStream,
	ReadableStreamBYOBReader,
	ReadableStreamBYOBRequest,
	ReadableStreamDefaultController,
	ReadableStreamDefaultReader,
	Request,
	Response,
	SubtleCrypto,
	TextDecoder,
	TextDecoderStream,
	TextEncoder,
	TextEncoderStream,
	TransformStream,
	TransformStreamDefaultController,
	URL,
	URLPattern,
	URLSearchParams,
	WebSocket,
	WritableStream,
	WritableStreamDefaultController,
	WritableStreamDefaultWriter,
};
for (const name of objectKeys(interfaces)) expose(name, interfaces[name], false);

const functions = {
	...timerFunctions,
	...base64Functions,
	...cloneFunctions,
	...fetchFunctions,
	...globalEventFunctions,
};
for (const name of objectKeys(functions)) expose(name, functions[name], true);

exposeGlobalHandlers();
expose('self', globalThis, true);
expose('console', console, false);
expose('crypto', new Crypto(construct), true);
expose('performance', new Performance(construct), true);
expose('navigator', new Navigator(construct), true);
expose('curfew', curfew, false);
expose('secrets', secrets, false);

// Shared memory and waiting on it, and the engine's own command line.
for (const name of ['SharedArrayBuffer', 'std', 'os', 'bjson', 'print', 'gc', 'scriptArgs', 'argv0'])
	delete globalThis[name];
if (typeof Atomics === 'object') {
	for (const name of ['wait', 'waitAsync', 'notify']) delete Atomics[name];
}

// A call site must not reveal the prelude's functions, just as it reveals no function of strict code elsewhere.
const { prepareStackTrace } = Error;
Error.prepareStackTrace = (_error, sites) => getPrototypeOf(sites[0]);
const callSitePrototype = new Error().stack;
Error.prepareStackTrace = prepareStackTrace;
defineProperty(callSitePrototype, 'getFunction', {
	__proto__: null,
	value: { getFunction() {} }.getFunction,
	writable: true,
	configurable: true,
});
