// SPDX-License-Identifier: Apache-2.0
// Each interface and each global of ECMA-429, WinterTC's minimum common API, is there but for WebAssembly; the members of each.
// outcome: ok
// value: "done"
const missing = [];
const need = (condition, what) => { if (!condition) missing.push(what); };
const interfaces = {
	AbortController: 'signal abort', AbortSignal: 'aborted reason throwIfAborted onabort', Blob: 'size type slice stream text arrayBuffer bytes',
	ByteLengthQueuingStrategy: 'highWaterMark size', CompressionStream: 'readable writable', CountQueuingStrategy: 'highWaterMark size',
	Crypto: 'subtle getRandomValues randomUUID', CryptoKey: 'type extractable algorithm usages', CustomEvent: 'detail',
	DecompressionStream: 'readable writable', DOMException: 'name message code', ErrorEvent: 'message filename lineno colno error',
	Event: 'type target currentTarget eventPhase bubbles cancelable defaultPrevented composed timeStamp composedPath stopPropagation preventDefault',
	EventTarget: 'addEventListener removeEventListener dispatchEvent', File: 'name lastModified', FormData: 'append delete get getAll has set entries keys values forEach',
	Headers: 'append delete get getSetCookie has set entries keys values forEach', MessageChannel: 'port1 port2', MessageEvent: 'data origin lastEventId source ports',
	MessagePort: 'postMessage start close onmessage onmessageerror', Performance: 'now timeOrigin mark measure getEntries', PromiseRejectionEvent: 'promise reason',
	ReadableByteStreamController: 'byobRequest desiredSize close enqueue error', ReadableStream: 'locked cancel getReader pipeThrough pipeTo tee values',
	ReadableStreamBYOBReader: 'read releaseLock closed cancel', ReadableStreamBYOBRequest: 'view respond respondWithNewView',
	ReadableStreamDefaultController: 'desiredSize close enqueue error', ReadableStreamDefaultReader: 'read releaseLock closed cancel',
	Request: 'method url headers body bodyUsed signal redirect clone arrayBuffer blob bytes formData json text',
	Response: 'type url redirected status ok statusText headers body bodyUsed clone arrayBuffer blob bytes formData json text',
	SubtleCrypto: 'encrypt decrypt sign verify digest generateKey deriveKey deriveBits importKey exportKey wrapKey unwrapKey',
	TextDecoder: 'encoding fatal ignoreBOM decode', TextDecoderStream: 'encoding fatal ignoreBOM readable writable', TextEncoder: 'encoding encode encodeInto',
	TextEncoderStream: 'encoding readable writable', TransformStream: 'readable writable', TransformStreamDefaultController: 'desiredSize enqueue error terminate',
	URL: 'href origin protocol username password host hostname port pathname search searchParams hash toJSON',
	URLPattern: 'test exec protocol username password hostname port pathname search hash hasRegExpGroups',
	URLSearchParams: 'size append delete get getAll has set sort entries keys values forEach', WritableStream: 'locked abort close getWriter',
	WritableStreamDefaultController: 'signal error', WritableStreamDefaultWriter: 'closed desiredSize ready abort close releaseLock write',
	// Not of ECMA-429, and there.
	CloseEvent: 'wasClean code reason', EventSource: 'url withCredentials readyState close onopen onmessage onerror',
	WebSocket: 'url readyState bufferedAmount extensions protocol binaryType send close onopen onmessage onerror onclose',
};
for (const [name, members] of Object.entries(interfaces)) {
	const Interface = globalThis[name], descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
	need(typeof Interface === 'function' && Interface.name === name, name);
	if (typeof Interface !== 'function') continue;
	need(descriptor.writable && descriptor.configurable && !descriptor.enumerable, name + ' as a property of the global object');
	need(Interface.prototype[Symbol.toStringTag] === name, name + ' by its tag');
	for (const member of members.split(' ')) need(member in Interface.prototype, name + '.prototype.' + member);
}
for (const name of ['atob', 'btoa', 'clearInterval', 'clearTimeout', 'fetch', 'queueMicrotask', 'reportError', 'setInterval', 'setTimeout', 'structuredClone'])
	need(typeof globalThis[name] === 'function', name);
for (const name of ['console', 'crypto', 'navigator', 'performance', 'self']) need(typeof globalThis[name] === 'object', name);
for (const name of ['onerror', 'onunhandledrejection', 'onrejectionhandled']) need(globalThis[name] === null, name);
for (const name of ['abort', 'any', 'timeout']) need(name in AbortSignal, 'AbortSignal.' + name);
for (const name of ['error', 'json', 'redirect']) need(name in Response, 'Response.' + name);
for (const name of ['canParse', 'createObjectURL', 'parse', 'revokeObjectURL']) need(name in URL, 'URL.' + name);
need('from' in ReadableStream, 'ReadableStream.from');
need(typeof navigator.userAgent === 'string' && globalThis === self, 'navigator.userAgent and self');
if (missing.length > 0) throw new Error('not there: ' + missing.join(', '));
'done';
