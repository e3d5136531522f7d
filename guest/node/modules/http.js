// SPDX-License-Identifier: Apache-2.0
// fetch sends the requests, so the same hosts are allowed, and each request is a host call. There are no sockets. The server's
// side is in ../http_server.js.
const { Buffer } = require('buffer');
const EventEmitter = require('events');
const { Readable, Writable } = require('stream');
const { statusCodes, methods } = require('../http_names.mjs');
const { OutgoingMessage, ServerResponse, serverFor, failure, isToken, validateHeaderName, validateHeaderValue } = require('../http_server.js');

// Programs ask for the socket of a request or response to set a timeout or to read its address.
class NoSocket extends EventEmitter {
	constructor(encrypted) {
		super();
		Object.assign(this, { encrypted, authorized: encrypted, connecting: false, destroyed: false, readable: true, writable: true });
	}
	setTimeout() { return this; }
	setNoDelay() { return this; }
	setKeepAlive() { return this; }
	ref() { return this; }
	unref() { return this; }
	destroy() { return this; }
	end() { return this; }
}

class Agent extends EventEmitter {
	constructor(options = {}) {
		super();
		Object.assign(this, { options: { ...options }, requests: {}, sockets: {}, freeSockets: {}, keepAlive: !!options.keepAlive,
			maxSockets: options.maxSockets ?? Infinity, maxFreeSockets: options.maxFreeSockets ?? 256, maxTotalSockets: options.maxTotalSockets ?? Infinity,
			defaultPort: 80, protocol: 'http:' });
	}
	getName({ host = 'localhost', port = '', localAddress = '' } = {}) { return `${host}:${port}:${localAddress}`; }
	destroy() {}
}

// ---- The response ----

// Headers that occur once: if there are several, the first counts.
const single = new Set(['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host', 'if-modified-since', 'if-unmodified-since', 'last-modified', 'location',
	'max-forwards', 'proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent']);

const reader = Symbol('kReader'); // reads the body of fetch's response
// It is a function instead of a class, as in Node, because frameworks call it for objects of their own.
function IncomingMessage(socket) {
	Readable.call(this);
	Object.assign(this, { socket, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, complete: false, aborted: false, url: '', method: null,
		statusCode: null, statusMessage: null, headers: {}, rawHeaders: [], trailers: {}, rawTrailers: [] });
}
Object.setPrototypeOf(IncomingMessage, Readable);
IncomingMessage.prototype = {
	__proto__: Readable.prototype,
	constructor: IncomingMessage,
	get connection() { return this.socket; },
	set connection(value) { this.socket = value; },
	get headersDistinct() {
		const found = {};
		for (let i = 0; i < this.rawHeaders.length; i += 2)
			(found[this.rawHeaders[i].toLowerCase()] ??= []).push(this.rawHeaders[i + 1]);
		return found;
	},
	setTimeout(ms, done) {
		if (this.req)
			this.req.setTimeout(ms, done);
		else
			this.socket?.setTimeout?.(ms, done);
		return this;
	},
	_take(response) {
		for (const [name, value] of response.headers) {
			this.rawHeaders.push(name, value);
			if (name === 'set-cookie')
				(this.headers[name] ??= []).push(value);
			else if (this.headers[name] === undefined || !single.has(name))
				this.headers[name] = this.headers[name] === undefined ? value : this.headers[name] + ', ' + value;
		}
		this.statusCode = response.status;
		this.statusMessage = response.statusText || (statusCodes[response.status] ?? '');
		this[reader] = response.body?.getReader() ?? { read: async () => ({ done: true }), cancel: async () => {} };
	},
	// A program that constructed the message itself pushes its body.
	_read() {
		this[reader]?.read().then(({ value, done }) => {
			this.complete ||= done;
			this.push(done ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength));
		}, (error) => this.destroy(asNodes(error)));
	},
	_destroy(error, done) {
		if (!this.complete && this[reader]) {
			this.aborted = true;
			this.emit('aborted');
			this[reader].cancel(error ?? undefined).catch(() => {});
			this.req?._lose?.();
		}
		// An error event without a listener would end the program.
		queueMicrotask(() => done(this.listenerCount('error') > 0 ? error : null));
	},
};
for (const name of Object.keys(IncomingMessage.prototype))
	Object.defineProperty(IncomingMessage.prototype, name, { enumerable: false });

// ---- The request ----

const codes = [[/refused/i, 'ECONNREFUSED'], [/resolve|not known|no address/i, 'ENOTFOUND'], [/timed out|timeout/i, 'ETIMEDOUT'], [/not allowed/i, 'ERR_ACCESS_DENIED'], [/certificate|SSL|TLS/i, 'ERR_TLS']];
function asNodes(error) {
	if (error === null || typeof error !== 'object' || error.code !== undefined)
		return error;
	const [, code = 'ECONNRESET'] = codes.find(([pattern]) => pattern.test(error.message)) ?? [];
	return Object.assign(error, { code });
}

function optionsOf(input, options, done, secure) {
	if (typeof input === 'string')
		input = new URL(input);
	const fromUrl = input instanceof URL || (typeof input?.href === 'string' && typeof input.searchParams === 'object');
	if (typeof options === 'function')
		[options, done] = [undefined, options];
	const { hostname, port, protocol, pathname, search, username, password } = fromUrl ? input : {};
	const given = fromUrl ? { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), path: pathname + search, ...(port === '' ? {} : { port }),
		...(username || password ? { auth: decodeURIComponent(username) + ':' + decodeURIComponent(password) } : {}), ...options } : { ...input, ...options };
	const wanted = given.protocol ?? given.agent?.protocol ?? secure;
	if (wanted !== secure)
		throw failure(TypeError, 'ERR_INVALID_PROTOCOL', `Protocol "${wanted}" not supported. Expected "${secure}"`);
	if (given.path !== undefined && /[^\x21-\xff]/.test(String(given.path)))
		throw failure(TypeError, 'ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
	return [given, done];
}

class ClientRequest extends Writable {
	#headers = new Map(); // by their lower-case names: [name, value]
	#pieces = [];
	#control = new AbortController();
	#timer;
	#sent = false;
	constructor(input, options, done, secure = 'http:') {
		const [given, onResponse] = optionsOf(input, options, done, secure);
		super({ autoDestroy: false });
		const { hostname, host = 'localhost', port, path = '/', method = 'GET', headers = {}, auth, timeout, signal, agent } = given;
		if (!isToken(method))
			throw failure(TypeError, 'ERR_INVALID_HTTP_TOKEN', `Method must be a valid HTTP token ["${method}"]`);
		Object.assign(this, { method: method.toUpperCase(), path: path || '/', protocol: secure, host: String(hostname ?? host), port, agent, aborted: false, reusedSocket: false, finished: false,
			res: null, socket: new NoSocket(secure === 'https:'), maxHeadersCount: null, timeout });
		this.connection = this.socket;
		const list = Array.isArray(headers) ? (Array.isArray(headers[0]) ? headers : Array.from({ length: headers.length / 2 }, (_, i) => headers.slice(2 * i, 2 * i + 2))) : Object.entries(headers);
		for (const [name, value] of list)
			this.setHeader(name, value);
		if (auth !== undefined && auth !== null && !this.hasHeader('authorization'))
			this.setHeader('Authorization', 'Basic ' + Buffer.from(auth).toString('base64'));
		if (!this.hasHeader('host'))
			this.setHeader('Host', this.#authority());
		if (onResponse)
			this.once('response', onResponse);
		if (signal?.aborted)
			queueMicrotask(() => this.destroy(aborted(signal.reason)));
		else
			signal?.addEventListener('abort', () => this.destroy(aborted(signal.reason)), { once: true });
		if (timeout)
			this.setTimeout(timeout);
		queueMicrotask(() => this.emit('socket', this.socket));
	}
	#authority() {
		const name = this.host.includes(':') ? '[' + this.host + ']' : this.host;
		return name + (this.port === undefined || this.port === null || +this.port === (this.protocol === 'https:' ? 443 : 80) ? '' : ':' + this.port);
	}

	get headersSent() { return this.#sent; }
	setHeader(name, value) {
		validateHeaderName(name);
		for (const one of [value].flat())
			validateHeaderValue(name, one);
		if (this.#sent)
			throw failure(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot set headers after they are sent to the client');
		this.#headers.set(name.toLowerCase(), [name, value]);
		return this;
	}
	setHeaders(headers) {
		for (const [name, value] of headers)
			this.setHeader(name, value);
		return this;
	}
	appendHeader(name, value) {
		const before = this.getHeader(name);
		return this.setHeader(name, before === undefined ? value : [before, value].flat());
	}
	getHeader(name) { return this.#headers.get(String(name).toLowerCase())?.[1]; }
	hasHeader(name) { return this.#headers.has(String(name).toLowerCase()); }
	removeHeader(name) { this.#headers.delete(String(name).toLowerCase()); }
	getHeaderNames() { return [...this.#headers.keys()]; }
	getRawHeaderNames() { return [...this.#headers.values()].map(([name]) => name); }
	getHeaders() { return Object.assign(Object.create(null), Object.fromEntries([...this.#headers].map(([name, [, value]]) => [name, value]))); }
	flushHeaders() {}
	setNoDelay() {}
	setSocketKeepAlive() {}
	setTimeout(ms, done) {
		if (done)
			this.once('timeout', done);
		clearTimeout(this.#timer);
		this.timeout = ms;
		if (ms > 0)
			this.#timer = setTimeout(() => this.emit('timeout'), ms);
		return this;
	}

	_write(chunk, encoding, done) {
		this.#pieces.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk));
		done();
	}
	// A body is sent as a whole, once it is complete.
	_final(done) {
		this.finished = this.#sent = true;
		this.#send();
		done();
	}
	async #send() {
		const body = Buffer.concat(this.#pieces), headers = new Headers();
		this.#pieces = [];
		for (const [name, value] of this.#headers.values()) {
			if (!/^(?:connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*)$/i.test(name))
				[value].flat().forEach((one) => headers.append(name, one));
		}
		try {
			const noBody = this.method === 'GET' || this.method === 'HEAD' || body.length === 0;
			const response = await binding.fetchEncoded(this.protocol + '//' + this.#authority() + (this.path[0] === '/' ? '' : '/') + this.path,
				{ method: this.method, headers, body: noBody ? undefined : body, redirect: 'manual', signal: this.#control.signal });
			this.#answer(response);
		} catch (error) {
			this.destroy(asNodes(error));
		}
	}
	#answer(response) {
		if (this.destroyed)
			return;
		const message = this.res = new IncomingMessage(this.socket);
		message.req = this;
		message._take(response);
		message.once('close', () => this.destroy());
		if (!this.emit('response', message))
			message.resume();
	}

	// The response is not wanted any more.
	_lose() { this.#control.abort(); }
	abort() {
		if (this.aborted)
			return;
		this.aborted = true;
		queueMicrotask(() => this.emit('abort'));
		this.destroy();
	}
	_destroy(error, done) {
		clearTimeout(this.#timer);
		this.#control.abort();
		if (this.res && !this.res.complete)
			this.res.destroy(error ?? failure(Error, 'ECONNRESET', 'aborted'));
		else if (!this.res && !error)
			error = failure(Error, 'ECONNRESET', 'socket hang up');
		done(error);
	}
}
const aborted = (cause) => Object.assign(new Error('The operation was aborted', { cause }), { name: 'AbortError', code: 'ABORT_ERR' });

const clientFor = (secure) => {
	const request = (input, options, done) => new ClientRequest(input, options, done, secure);
	const get = (input, options, done) => {
		const made = request(input, options, done);
		made.end();
		return made;
	};
	return { request, get };
};
const globalAgent = new Agent({ keepAlive: true });

module.exports = { ...clientFor('http:'), ...serverFor('http'), Agent, globalAgent, ClientRequest, IncomingMessage, OutgoingMessage, ServerResponse, METHODS: methods, STATUS_CODES: statusCodes,
	maxHeaderSize: 16384, validateHeaderName, validateHeaderValue, setMaxIdleHTTPParsers() {}, WebSocket: globalThis.WebSocket, CloseEvent: globalThis.CloseEvent, MessageEvent: globalThis.MessageEvent };
Object.defineProperty(module.exports, Symbol.for('curfew.http.for'), { value: { clientFor, serverFor } });
