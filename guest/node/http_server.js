// SPDX-License-Identifier: Apache-2.0
// The server's side of http, as far as it needs no sockets. Servers, requests and responses have the interface of Node. A
// program passes a request to a handler itself, with server.emit('request', ...), or by a package such as light-my-request.
// Nothing listens.
const { Buffer } = require('buffer');
const EventEmitter = require('events');
const Stream = require('stream');
const { statusCodes } = require('./http_names.mjs');

const failure = (Kind, code, message) => Object.assign(new Kind(message), { code });
const isToken = (name) => typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name);
const validateHeaderName = (name, label = 'Header name') => {
	if (!isToken(name))
		throw failure(TypeError, 'ERR_INVALID_HTTP_TOKEN', `${label} must be a valid HTTP token ["${name}"]`);
};
const validateHeaderValue = (name, value) => {
	if (value === undefined)
		throw failure(TypeError, 'ERR_HTTP_INVALID_HEADER_VALUE', `Invalid value "${value}" for header "${name}"`);
	if (/[^\t\x20-\x7e\x80-\xff]/.test(String(value)))
		throw failure(TypeError, 'ERR_INVALID_CHAR', `Invalid character in header content ["${name}"]`);
};

// ---- Headers of outgoing messages: requests and responses ----

const headers = Symbol('kOutHeaders'); // lower-case name -> [name, value]
const methodsOfHeaders = {
	setHeader(name, value) {
		if (this._header)
			throw failure(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot set headers after they are sent to the client');
		validateHeaderName(name);
		for (const one of [value].flat())
			validateHeaderValue(name, one);
		(this[headers] ??= new Map()).set(name.toLowerCase(), [name, value]);
		return this;
	},
	setHeaders(given) {
		if (this._header)
			throw failure(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot set headers after they are sent to the client');
		for (const [name, value] of given)
			this.setHeader(name, value);
		return this;
	},
	appendHeader(name, value) {
		const before = this.getHeader(name);
		return this.setHeader(name, before === undefined ? value : [before, value].flat());
	},
	getHeader(name) { return this[headers]?.get(String(name).toLowerCase())?.[1]; },
	hasHeader(name) { return this[headers]?.has(String(name).toLowerCase()) ?? false; },
	removeHeader(name) {
		if (this._header)
			throw failure(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot remove headers after they are sent to the client');
		this[headers]?.delete(String(name).toLowerCase());
	},
	getHeaderNames() { return [...this[headers]?.keys() ?? []]; },
	getRawHeaderNames() { return [...this[headers]?.values() ?? []].map(([name]) => name); },
	getHeaders() { return Object.assign(Object.create(null), Object.fromEntries([...this[headers] ?? []].map(([name, [, value]]) => [name, value]))); },
};

// ---- Outgoing messages ----

// It is a function instead of a class, as in Node, because subclasses of older packages call it for an object of their own.
function OutgoingMessage() {
	Stream.call(this);
	Object.assign(this, { outputData: [], outputSize: 0, writable: true, destroyed: false, _last: false, chunkedEncoding: false, shouldKeepAlive: true, useChunkedEncodingByDefault: true,
		sendDate: false, _removedConnection: false, _removedContLen: false, _removedTE: false, _contentLength: null, _hasBody: true, _trailer: '', finished: false, _headerSent: false,
		socket: null, _header: null, [headers]: null });
}
Object.setPrototypeOf(OutgoingMessage.prototype, Stream.prototype);
Object.setPrototypeOf(OutgoingMessage, Stream);

const define = (Kind, methods) => {
	for (const [name, made] of Object.entries(Object.getOwnPropertyDescriptors(methods)))
		Object.defineProperty(Kind.prototype, name, { ...made, enumerable: false });
};
const bodyOf = (chunk, encoding) => {
	if (typeof chunk === 'string')
		return Buffer.from(chunk, encoding ?? 'utf8');
	if (chunk instanceof Uint8Array)
		return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
	if (chunk === null)
		throw failure(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
	throw failure(TypeError, 'ERR_INVALID_ARG_TYPE', `The "chunk" argument must be of type string or an instance of Buffer or Uint8Array. Received ${binding.inspect(chunk)}`);
};

define(OutgoingMessage, { ...methodsOfHeaders });
define(OutgoingMessage, {
	get headersSent() { return !!this._header; },
	get connection() { return this.socket; },
	set connection(value) { this.socket = value; },
	get writableEnded() { return this.finished; },
	get writableFinished() { return this.finished && this.outputSize === 0; },
	get writableLength() { return this.outputSize; },
	get writableHighWaterMark() { return 16384; },
	get writableObjectMode() { return false; },
	get writableCorked() { return 0; },
	get writableNeedDrain() { return false; },
	get errored() { return this._errored ?? null; },
	get closed() { return this._closed ?? false; },
	cork() {},
	uncork() {},
	setTimeout(ms, done) {
		if (done)
			this.on('timeout', done);
		this.socket?.setTimeout?.(ms);
		return this;
	},
	destroy(error) {
		if (this.destroyed)
			return this;
		this.destroyed = true;
		this._errored = error ?? null;
		if (this.socket?.destroy)
			this.socket.destroy(error);
		queueMicrotask(() => {
			this._closed = true;
			this.emit('close');
		});
		return this;
	},
	pipe() { this.emit('error', failure(Error, 'ERR_STREAM_CANNOT_PIPE', 'Cannot pipe, not readable')); },
	addTrailers(trailers) {
		for (const [name, value] of Array.isArray(trailers) ? trailers : Object.entries(trailers)) {
			validateHeaderName(name, 'Trailer name');
			validateHeaderValue(name, value);
			this._trailer += `${name}: ${value}\r\n`;
		}
	},
	flushHeaders() {
		if (!this._header)
			this._implicitHeader();
		this._send('', 'latin1');
	},
	_implicitHeader() { throw failure(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _implicitHeader() method is not implemented'); },

	// Makes the text of the header from the given fields and from those that Node adds.
	_storeHeader(first, given) {
		const lines = [], seen = new Set();
		const add = (name, value) => {
			seen.add(name.toLowerCase());
			lines.push(`${name}: ${value}\r\n`);
		};
		for (const [name, value] of given) {
			for (const one of Array.isArray(value) && name.toLowerCase() !== 'cookie' ? value : [[value].flat().join('; ')])
				add(name, one);
		}
		const last = [...given].find(([name]) => name.toLowerCase() === 'connection')?.[1];
		this._last = typeof last === 'string' && /close/i.test(last);
		if (this.sendDate && !seen.has('date'))
			add('Date', new Date().toUTCString());
		if (!seen.has('connection') && !this._removedConnection) {
			const keeps = this.shouldKeepAlive && (seen.has('content-length') || this.useChunkedEncodingByDefault || !this._hasBody);
			this._last = !keeps;
			add('Connection', keeps ? 'keep-alive' : 'close');
			if (keeps && this._keepAliveTimeout > 0)
				add('Keep-Alive', 'timeout=' + Math.floor(this._keepAliveTimeout / 1000));
		}
		if (seen.has('transfer-encoding')) {
			this.chunkedEncoding = /chunked/i.test(String([...given].find(([name]) => name.toLowerCase() === 'transfer-encoding')[1]));
		} else if (!seen.has('content-length')) {
			if (!this._hasBody)
				this.chunkedEncoding = false;
			else if (typeof this._contentLength === 'number' && !this._trailer && !seen.has('trailer'))
				add('Content-Length', this._contentLength);
			else if (this.useChunkedEncodingByDefault) {
				add('Transfer-Encoding', 'chunked');
				this.chunkedEncoding = true;
			} else
				this._last = true;
		}
		this._header = first + lines.join('') + '\r\n';
		this._headerSent = false;
	},
	// Writes to the socket. Without a socket, it keeps the data until one is assigned.
	_send(data, encoding, done) {
		if (!this._headerSent && this._header !== null) {
			this._headerSent = true;
			this._writeRaw(this._header, 'latin1');
		}
		return this._writeRaw(data, encoding, done);
	},
	_writeRaw(data, encoding, done) {
		const { socket } = this;
		if (socket && socket.writable !== false && typeof socket.write === 'function' && this.outputData.length === 0) {
			if (data.length === 0) {
				if (done)
					queueMicrotask(done);
				return true;
			}
			return socket.write(data, encoding, done);
		}
		this.outputData.push({ data, encoding, callback: done });
		this.outputSize += data.length;
		return this.outputSize < 16384;
	},
	_flushOutput(socket) {
		const { outputData } = this;
		Object.assign(this, { outputData: [], outputSize: 0 });
		let more = true;
		for (const { data, encoding, callback } of outputData) {
			if (data.length > 0)
				more = socket.write(data, encoding, callback);
			else if (callback)
				queueMicrotask(callback);
		}
		return more;
	},

	write(chunk, encoding, done) {
		if (typeof encoding === 'function')
			[encoding, done] = [undefined, encoding];
		const bytes = bodyOf(chunk, encoding);
		if (this.finished || this.destroyed) {
			const error = this.finished ? failure(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end') : failure(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed');
			queueMicrotask(() => {
				done?.(error);
				if (this.finished)
					this.emit('error', error);
			});
			return false;
		}
		if (!this._header)
			this._implicitHeader();
		if (!this._hasBody) {
			if (done)
				queueMicrotask(done);
			return true;
		}
		return this._body(bytes, done);
	},
	_body(bytes, done) {
		if (!this.chunkedEncoding)
			return this._send(bytes, undefined, done);
		if (bytes.length === 0)
			return this._send('', undefined, done);
		return this._send(Buffer.concat([Buffer.from(bytes.length.toString(16) + '\r\n'), bytes, Buffer.from('\r\n')]), undefined, done);
	},
	end(chunk, encoding, done) {
		if (typeof chunk === 'function')
			[chunk, done] = [undefined, chunk];
		else if (typeof encoding === 'function')
			[encoding, done] = [undefined, encoding];
		if (this.finished) {
			if (done)
				queueMicrotask(() => done(failure(Error, 'ERR_STREAM_ALREADY_FINISHED', 'Cannot call end after a stream was finished')));
			return this;
		}
		const bytes = chunk === undefined || chunk === null ? undefined : bodyOf(chunk, encoding);
		if (done)
			this.once('finish', done);
		if (!this._header) {
			this._contentLength = bytes?.length ?? 0;
			this._implicitHeader();
		}
		if (bytes !== undefined && this._hasBody)
			this._body(bytes);
		const finish = () => this.emit('finish');
		if (this._hasBody && this.chunkedEncoding)
			this._send('0\r\n' + this._trailer + '\r\n', 'latin1', finish);
		else
			this._send('', 'latin1', finish);
		this.finished = true;
		return this;
	},
});

// ---- Responses ----

function ServerResponse(request, options) {
	OutgoingMessage.call(this, options);
	if (request?.method === 'HEAD')
		this._hasBody = false;
	Object.assign(this, { req: request, sendDate: true, statusCode: 200, statusMessage: undefined, _sent100: false, strictContentLength: false });
	if (request?.httpVersionMajor < 1 || request?.httpVersionMinor < 1) {
		this.useChunkedEncodingByDefault = /chunked/i.test(request.headers?.te ?? '');
		this.shouldKeepAlive = false;
	}
}
Object.setPrototypeOf(ServerResponse.prototype, OutgoingMessage.prototype);
Object.setPrototypeOf(ServerResponse, OutgoingMessage);

function onSocketClose() { this._httpMessage?.destroy(); }
const pairsOf = (given) => Array.isArray(given) ? Array.isArray(given[0]) ? given : Array.from({ length: given.length / 2 }, (_, i) => given.slice(2 * i, 2 * i + 2)) : Object.entries(given ?? {});
define(ServerResponse, {
	_implicitHeader() { this.writeHead(this.statusCode); },
	writeHead(status, reason, given) {
		if (this._header)
			throw failure(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot write headers after they are sent to the client');
		const code = status | 0;
		if (code < 100 || code > 999)
			throw failure(RangeError, 'ERR_HTTP_INVALID_STATUS_CODE', `Invalid status code: ${status}`);
		if (typeof reason !== 'string')
			[reason, given] = [this.statusMessage || statusCodes[code] || 'unknown', given ?? reason];
		if (/[^\t\x20-\x7e\x80-\xff]/.test(reason))
			throw failure(TypeError, 'ERR_INVALID_CHAR', 'Invalid character in statusMessage');
		Object.assign(this, { statusCode: code, statusMessage: reason });
		for (const [name, value] of pairsOf(given)) {
			if (value !== undefined)
				this.setHeader(name, value);
		}
		// Responses with these status codes have no body.
		if (code === 204 || code === 304 || code < 200)
			this._hasBody = false;
		this._storeHeader(`HTTP/1.1 ${code} ${reason}\r\n`, [...this[headers]?.values() ?? []]);
		return this;
	},
	writeHeader(...args) { return this.writeHead(...args); },
	assignSocket(socket) {
		if (socket._httpMessage)
			throw failure(Error, 'ERR_HTTP_SOCKET_ASSIGNED', 'Socket already assigned');
		socket._httpMessage = this;
		socket.on?.('close', onSocketClose);
		this.socket = socket;
		this.emit('socket', socket);
		this._flushOutput(socket);
	},
	detachSocket(socket) {
		socket.removeListener?.('close', onSocketClose);
		socket._httpMessage = null;
		this.socket = null;
	},
	writeContinue(done) {
		this._writeRaw('HTTP/1.1 100 Continue\r\n\r\n', 'latin1', done);
		this._sent100 = true;
	},
	writeProcessing(done) { this._writeRaw('HTTP/1.1 102 Processing\r\n\r\n', 'latin1', done); },
	writeEarlyHints(hints, done) {
		const lines = Object.entries(hints).map(([name, value]) => `${name}: ${[value].flat().join(', ')}\r\n`);
		this._writeRaw(`HTTP/1.1 103 Early Hints\r\n${lines.join('')}\r\n`, 'latin1', done);
	},
});

// ---- Servers ----

const listens = (scheme) => failure(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
	`${scheme}.Server.listen is not here, because there are no sockets: export a function that passes a request to the handler, as inject of light-my-request does`);

function serverFor(scheme) {
	function Server(options, handler) {
		if (!(this instanceof Server))
			return new Server(options, handler);
		EventEmitter.call(this);
		if (typeof options === 'function')
			[options, handler] = [undefined, options];
		Object.assign(this, { listening: false, timeout: 0, keepAliveTimeout: 5000, keepAliveTimeoutBuffer: 1000, headersTimeout: 60000, requestTimeout: 300000, maxHeadersCount: null,
			maxRequestsPerSocket: 0, connectionsCheckingInterval: 30000, allowHalfOpen: true, httpAllowHalfOpen: false, insecureHTTPParser: undefined, maxConnections: undefined, ...options });
		if (handler)
			this.on('request', handler);
	}
	Object.setPrototypeOf(Server.prototype, EventEmitter.prototype);
	Object.setPrototypeOf(Server, EventEmitter);
	define(Server, {
		listen() { throw listens(scheme); },
		address() { return null; },
		close(done) {
			if (done)
				queueMicrotask(() => done(failure(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.')));
			return this;
		},
		setTimeout(ms, done) {
			this.timeout = typeof ms === 'number' ? ms : 0;
			if (typeof done === 'function')
				this.on('timeout', done);
			return this;
		},
		getConnections(done) {
			queueMicrotask(() => done(null, 0));
			return this;
		},
		closeAllConnections() {},
		closeIdleConnections() {},
		ref() { return this; },
		unref() { return this; },
		async [Symbol.asyncDispose]() {},
	});
	return { Server, createServer: (options, handler) => new Server(options, handler) };
}

module.exports = { OutgoingMessage, ServerResponse, serverFor, failure, isToken, validateHeaderName, validateHeaderValue };
