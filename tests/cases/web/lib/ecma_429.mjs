// SPDX-License-Identifier: Apache-2.0
// The interfaces and globals of ECMA-429, WinterTC's minimum common API, with their members, and the ones that are missing. The case
// beside it uses this, and so does scripts/compatibility, which makes a table of it.
export const standard = {
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
	WebAssembly: '',
};
export const others = {
	CloseEvent: 'wasClean code reason', EventSource: 'url withCredentials readyState close onopen onmessage onerror',
	WebSocket: 'url readyState bufferedAmount extensions protocol binaryType send close onopen onmessage onerror onclose',
};
const functions = ['atob', 'btoa', 'clearInterval', 'clearTimeout', 'fetch', 'queueMicrotask', 'reportError', 'setInterval', 'setTimeout', 'structuredClone'];
const objects = ['console', 'crypto', 'navigator', 'performance', 'self'];
const handlers = ['onerror', 'onunhandledrejection', 'onrejectionhandled'];
const statics = { AbortSignal: ['abort', 'any', 'timeout'], Response: ['error', 'json', 'redirect'], URL: ['canParse', 'createObjectURL', 'parse', 'revokeObjectURL'],
	ReadableStream: ['from'] };

// The missing members of an interface.
function missingOf(name, members) {
	const Interface = globalThis[name], descriptor = Object.getOwnPropertyDescriptor(globalThis, name), missing = [];
	if (typeof Interface !== 'function' || Interface.name !== name)
		return [name];
	if (!descriptor.writable || !descriptor.configurable || descriptor.enumerable)
		missing.push('as a property of the global object');
	if (Interface.prototype[Symbol.toStringTag] !== name)
		missing.push('its tag');
	missing.push(...members.split(' ').filter((member) => !(member in Interface.prototype)));
	return missing.concat((statics[name] ?? []).filter((member) => !(member in Interface)).map((member) => 'static ' + member));
}

const rows = [];
for (const [table, isStandard] of [[standard, true], [others, false]]) {
	for (const [name, members] of Object.entries(table))
		rows.push({ name, isStandard, members: members === '' ? [] : members.split(' ').concat(statics[name] ?? []), missing: missingOf(name, members) });
}
const globals = [...functions.map((name) => [name, typeof globalThis[name] === 'function']), ...objects.map((name) => [name, typeof globalThis[name] === 'object']),
	...handlers.map((name) => [name, globalThis[name] === null]), ['navigator.userAgent', typeof navigator.userAgent === 'string'], ['self', globalThis === self]];
for (const [name, isThere] of globals)
	rows.push({ name, isStandard: true, members: [], missing: isThere ? [] : [name] });
export default rows;
