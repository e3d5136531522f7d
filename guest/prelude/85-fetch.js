// SPDX-License-Identifier: Apache-2.0
// Request, Response and fetch of the Fetch Standard, as servers have them: there is no origin, no cache, no cookies and
// no opaque response. For each request the host makes one exchange; redirects are followed here.

const FETCH = 1;
const FETCH_TAKE = 1,
	FETCH_BODY = 2,
	FETCH_BODY_END = 3;
const FETCH_HEAD = 1,
	FETCH_CHUNK = 2,
	FETCH_SENT = 3,
	FETCH_END = 4;
const CHUNK_BYTES = 65536,
	REDIRECTS_MAX = 20;

const orUndefined = (value, fallback) => (value === undefined ? fallback : toText(value));

function toMethodName(value) {
	const name = toText(value);
	if (!isToken(name)) throw new TypeError('The method is malformed: ' + slice(name, 0, 64));
	const upper = upperCase(name);
	if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK')
		throw new TypeError('The method is not allowed: ' + upper);
	for (let i = 0; i < ordinaryMethods.length; i++) {
		if (ordinaryMethods[i] === upper) return upper;
	}
	return name;
}
const ordinaryMethods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'];

// Parses the URL of a request. fetch itself checks the scheme.
function toRequestUrl(text, base) {
	const parts = urlParse(text, base);
	if (!parts) throw new TypeError('Not a URL that can be fetched: ' + slice(text, 0, 200));
	if (readPart(parts, USERNAME) !== '' || readPart(parts, PASSWORD) !== '')
		throw new TypeError('A URL with a user or password cannot be fetched');
	return parts;
}

function needHttp(parts) {
	const scheme = readPart(parts, PROTOCOL);
	if (scheme !== 'http:' && scheme !== 'https:')
		throw new TypeError('Only http, https, data and blob can be fetched, not ' + scheme);
	return parts;
}

// Options of a request that have no effect here but can be read. The first value of each is the default.
const requestChoices = {
	__proto__: null,
	mode: ['cors', 'navigate', 'same-origin', 'no-cors'],
	credentials: ['same-origin', 'omit', 'include'],
	cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'],
	redirect: ['follow', 'error', 'manual'],
	referrerPolicy: [
		'',
		'no-referrer',
		'no-referrer-when-downgrade',
		'same-origin',
		'origin',
		'strict-origin',
		'origin-when-cross-origin',
		'strict-origin-when-cross-origin',
		'unsafe-url',
	],
	duplex: ['half'],
	priority: ['auto', 'high', 'low'],
};

function toChoice(init, name, otherwise) {
	const value = init[name];
	if (value === undefined) return otherwise;
	const text = toText(value),
		choices = requestChoices[name];
	for (let i = 0; i < choices.length; i++) {
		if (choices[i] === text) return text;
	}
	throw new TypeError('The ' + name + ' is none of those that there are: ' + slice(text, 0, 64));
}

function toReferrer(value, otherwise) {
	if (value === undefined) return otherwise;
	const text = toScalarString(value);
	if (text === '') return 'no-referrer';
	const parts = urlParse(text, undefined);
	if (!parts) throw new TypeError('The referrer is not a URL: ' + slice(text, 0, 200));
	return 'about:client';
}

// The signal of a request follows the one that was given. It is created at its first use.
function followSignal(given) {
	const signal = newSignal();
	if (given) signalFollow(signal, given);
	return signal;
}

let requestState, isRequest;

class Request {
	#r;

	constructor(input, init = undefined) {
		needArguments('Request', 1, arguments.length);
		if (input === construct) {
			this.#r = init;
			return;
		}
		init = toDictionary(init, 'The second argument of Request');
		const from = isRequest(input) ? input.#r : undefined;
		const parts = from ? from.parts : toRequestUrl(toScalarString(input), undefined);
		if (init.window !== undefined && init.window !== null) throw new TypeError('The window of a request is not null');
		const duplex = toChoice(init, 'duplex', undefined);
		const r = (this.#r = {
			__proto__: null,
			parts,
			method: '',
			headers: undefined,
			body: emptyBody(),
			signal: null,
			ownSignal: undefined,
		});
		readChoices(r, init, from);
		r.method = init.method === undefined ? (from ? from.method : 'GET') : toMethodName(init.method);
		if (r.mode === 'no-cors' && r.method !== 'GET' && r.method !== 'HEAD' && r.method !== 'POST')
			throw new TypeError('The mode no-cors does not allow the method ' + r.method);
		let { signal } = init;
		if (signal === undefined) signal = from ? (from.signal ?? from.ownSignal) : null;
		if (signal !== null && signal !== undefined && !isAbortSignal(signal))
			throw new TypeError('The signal is not an AbortSignal');
		r.signal = signal ?? null;
		const headers = (r.headers = guardHeaders(new Headers(), OF_REQUEST));
		fillHeaders(headers, init.headers ?? (from ? from.headers : undefined));
		const given = init.body ?? null;
		if ((given !== null || (from && hasBody(from.body))) && (r.method === 'GET' || r.method === 'HEAD'))
			throw new TypeError('A request with the method ' + r.method + ' cannot have a body');
		const own = toBody(given);
		if (own.s && r.keepalive) throw new TypeError('A request with keepalive cannot have a stream as its body');
		if (own.s && duplex === undefined)
			throw new TypeError("A request whose body is a stream needs the option duplex: 'half'");
		r.body = given !== null ? own : from ? takeBody(from.body) : emptyBody();
		addType(headers, r.body);
	}

	get method() {
		return this.#r.method;
	}
	get url() {
		return this.#r.parts[HREF];
	}
	get headers() {
		return this.#r.headers;
	}
	get destination() {
		return this.#r && '';
	}
	get referrer() {
		return this.#r.referrer === 'no-referrer' ? '' : this.#r.referrer;
	}
	get referrerPolicy() {
		return this.#r.referrerPolicy;
	}
	get mode() {
		return this.#r.mode;
	}
	get credentials() {
		return this.#r.credentials;
	}
	get cache() {
		return this.#r.cache;
	}
	get redirect() {
		return this.#r.redirect;
	}
	get integrity() {
		return this.#r.integrity;
	}
	get keepalive() {
		return this.#r.keepalive;
	}
	get isReloadNavigation() {
		return this.#r === undefined;
	}
	get isHistoryNavigation() {
		return this.#r === undefined;
	}
	get signal() {
		return (this.#r.ownSignal ??= followSignal(this.#r.signal));
	}
	get duplex() {
		return this.#r && 'half';
	}

	clone() {
		const r = this.#r;
		const body = cloneBody(r.body),
			headers = guardHeaders(new Headers(r.headers), OF_REQUEST);
		return new Request(construct, { __proto__: null, ...r, headers, body, ownSignal: undefined });
	}

	static {
		isRequest = value => isObject(value) && #r in value;
		requestState = request => request.#r;
	}
}
addBodyMembers(Request, request => requestState(request));
finishInterface(Request, 'Request');

const choiceNames = ['mode', 'credentials', 'cache', 'redirect', 'referrerPolicy'];

function readChoices(r, init, from) {
	r.referrer = toReferrer(init.referrer, from ? from.referrer : 'about:client');
	for (let i = 0; i < choiceNames.length; i++) {
		const name = choiceNames[i];
		r[name] = toChoice(init, name, from ? from[name] : requestChoices[name][0]);
	}
	if (r.mode === 'navigate') throw new TypeError('The mode of a request is navigate');
	if (r.cache === 'only-if-cached' && r.mode !== 'same-origin')
		throw new TypeError('The cache only-if-cached needs the mode same-origin');
	r.integrity = init.integrity === undefined ? (from ? from.integrity : '') : toText(init.integrity);
	r.keepalive = init.keepalive === undefined ? (from ? from.keepalive : false) : !!init.keepalive;
	toChoice(init, 'priority', undefined);
}

const hasBody = body => body.s !== undefined || body.bytes !== undefined;

function fillHeaders(headers, init) {
	if (init === undefined || init === null) return;
	const list = headersList(isHeaders(init) ? init : new Headers(init));
	for (let i = 0; i < list.length; i += 2) headersAppend(headers, list[i], list[i + 1]);
}
const headersAppend = uncurry(Headers.prototype.append);
const headersHas = uncurry(Headers.prototype.has);
const headersGet = uncurry(Headers.prototype.get);

function addType(headers, body) {
	if (body.type !== null && !headersHas(headers, 'content-type')) headersAppend(headers, 'content-type', body.type);
}

// Moves the body of one request into another. The first one is then used up.
function takeBody(body) {
	if (isUnusable(body)) throw new TypeError('The body was read already, or is being read');
	const taken = newBody(body.bytes, body.s, body.type);
	if (hasBody(body)) {
		body.used = true;
		body.s = undefined;
		body.stream = null;
		body.bytes ??= new Uint8Array(0);
	}
	return taken;
}

// ---- Responses ----

let newResponse, responseState, isResponse;

const isNullBodyStatus = status =>
	status === 101 || status === 103 || status === 204 || status === 205 || status === 304;

function checkStatusText(text) {
	for (let i = 0; i < text.length; i++) {
		const c = codeUnit(text, i);
		if ((c < 32 && c !== 9) || c === 127 || c > 255)
			throw new TypeError('The statusText has characters that it may not have');
	}
	return text;
}

class Response {
	#r;

	constructor(body = null, init = undefined) {
		if (body === construct) {
			this.#r = init;
			return;
		}
		init = toDictionary(init, 'The second argument of Response');
		const status = init.status === undefined ? 200 : trunc(+init.status);
		if (!(status >= 200 && status <= 599)) throw new RangeError('The status is not a number from 200 to 599');
		const statusText = checkStatusText(orUndefined(init.statusText, ''));
		const headers = new Headers();
		fillHeaders(headers, init.headers);
		const own = toBody(body);
		if (hasBody(own) && isNullBodyStatus(status))
			throw new TypeError('A response with the status ' + status + ' cannot have a body');
		addType(headers, own);
		this.#r = { __proto__: null, type: 'default', url: '', redirected: false, status, statusText, headers, body: own };
	}

	static error() {
		return newResponse({
			__proto__: null,
			type: 'error',
			url: '',
			redirected: false,
			status: 0,
			statusText: '',
			headers: guardHeaders(new Headers(), IMMUTABLE),
			body: emptyBody(),
		});
	}

	static json(data, init = undefined) {
		needArguments('Response.json', 1, arguments.length);
		const text = toJsonText(data, 'Response.json');
		const response = new Response(null, init);
		if (isNullBodyStatus(response.#r.status))
			throw new TypeError('A response with the status ' + response.#r.status + ' cannot have a body');
		response.#r.body = newBody(utf8Encode(text), undefined, 'application/json');
		addType(response.#r.headers, response.#r.body);
		return response;
	}

	static redirect(url, status = 302) {
		needArguments('Response.redirect', 1, arguments.length);
		url = toScalarString(url);
		const parts = urlParse(url, undefined);
		if (!parts) throw new TypeError('Not a URL to redirect to: ' + slice(url, 0, 200));
		if (!isRedirect(+status)) throw new RangeError('The status is not that of a redirect');
		const headers = new Headers();
		headersAppend(headers, 'location', parts[HREF]);
		return newResponse({
			__proto__: null,
			type: 'default',
			url: '',
			redirected: false,
			status: +status,
			statusText: '',
			headers: guardHeaders(headers, IMMUTABLE),
			body: emptyBody(),
		});
	}

	get type() {
		return this.#r.type;
	}
	get url() {
		return this.#r.url;
	}
	get redirected() {
		return this.#r.redirected;
	}
	get status() {
		return this.#r.status;
	}
	get ok() {
		return this.#r.status >= 200 && this.#r.status <= 299;
	}
	get statusText() {
		return this.#r.statusText;
	}
	get headers() {
		return this.#r.headers;
	}

	clone() {
		const r = this.#r;
		const body = cloneBody(r.body);
		const headers = new Headers();
		fillHeaders(headers, r.headers);
		return newResponse({ __proto__: null, ...r, headers, body });
	}

	static {
		isResponse = value => isObject(value) && #r in value;
		newResponse = state => new Response(construct, state);
		responseState = response => response.#r;
	}
}
addBodyMembers(Response, response => responseState(response));
finishInterface(Response, 'Response');

// ---- One exchange ----

const isRedirect = status => status === 301 || status === 302 || status === 303 || status === 307 || status === 308;

// A fetch in progress: its current exchange, and the request that a redirect would make.
const newFetch = (r, resolve, reject, decodes = true) => ({
	__proto__: null,
	parts: r.parts,
	method: r.method,
	redirect: r.redirect,
	signal: r.signal,
	body: r.body,
	headers: guardHeaders(new Headers(r.headers), OF_REQUEST),
	hops: 0,
	decodes,
	decoder: undefined,
	received: false,
	resolve,
	reject,
	trace: traceOf(new Error()),
	id: 0,
	over: true,
	held: 0,
	told: false,
	s: undefined,
	chunk: null,
	sent: null,
	source: null,
	onAbort: null,
});

function hold(f) {
	f.held++;
	holdProgram(1);
}
function release(f) {
	if (f.held === 0) return;
	f.held--;
	holdProgram(-1);
}

// Ends the exchange: the program waits for nothing of it any more, and the source of the request's body is cancelled.
function closeExchange(f, reason) {
	f.over = true;
	while (f.held > 0) release(f);
	const { source } = f;
	f.source = f.sent = null;
	if (source && source.s && source.s.state === READABLE) markHandled(cancelReadable(source.s, reason));
}

function endExchange(f, reason) {
	if (f.over) return;
	closeExchange(f, reason);
	endOperation(f.id);
}

function finishFetch(f) {
	if (f.onAbort) offAbort(f.signal, f.onAbort);
	f.onAbort = null;
}

// The program receives the error where it waits: at the response, or at its body.
function failFetch(f, error) {
	endExchange(f, error);
	finishFetch(f);
	if (!f.told) f.reject(error);
	else if (f.s) failController(f.s.controller, error);
	if (f.chunk) f.chunk.resolve(undefined);
}

const NOT_ALLOWED = 'the run is not allowed to reach it';

// No code of the program runs when a request fails, so the position of the error is where it began: the call of fetch, or
// where the object was made.
function errorAt(message, trace) {
	const error = new TypeError(message);
	setTrace(error, trace);
	return error;
}

function fetchError(f, reason) {
	const host = readPart(f.parts, HOST),
		hint = reason === NOT_ALLOWED ? ' (--allow-fetch ' + host + ' would let it)' : '';
	return errorAt('fetch from ' + host + ' failed: ' + reason + hint, f.trace);
}

// Reads "name:value" lines after the first line.
function readHeaders(text, from) {
	const headers = new Headers();
	for (let at = from; at < text.length; ) {
		const end = indexOf(text, '\n', at),
			colon = indexOf(text, ':', at);
		headersAppend(headers, slice(text, at, colon), slice(text, colon + 1, end));
		at = end + 1;
	}
	return headers;
}

// Passes on the next decoded piece, or the end. False: more of the body has to arrive first. What follows the end of the
// encoded data is ignored.
function passDecoded(f) {
	try {
		const piece = takeDecoded(f.decoder, f.decoder.length - 1);
		if (piece) enqueueBytes(f.s.controller, piece);
		else if (f.received) endBodyOf(f);
		else return false;
		return true;
	} catch (error) {
		failFetch(f, fetchError(f, error.message));
		return true;
	}
}

function endBodyOf(f) {
	finishFetch(f);
	endSource(f.s.controller);
}

function responseStream(f) {
	f.s = newByteSource(
		() => {
			if (f.decoder && passDecoded(f)) return undefined;
			hold(f);
			f.chunk = newPromise();
			sendOperation(f.id, FETCH_TAKE);
			return f.chunk.promise;
		},
		reason => {
			endExchange(f, reason);
			finishFetch(f);
		},
	);
	return f.s;
}

function takeHead(f, bytes) {
	const text = textOf(bytes);
	const status = toInteger(text),
		end = indexOf(text, '\n');
	const headers = readHeaders(text, end + 1);
	release(f);
	if (isRedirect(status) && f.redirect === 'error') throw fetchError(f, 'it redirects');
	const location = isRedirect(status) ? headersGet(headers, 'location') : null;
	if (location !== null && f.redirect !== 'manual') return followRedirect(f, status, location);
	const empty = f.method === 'HEAD' || isNullBodyStatus(status);
	if (f.decodes && !empty) f.decoder = openDecoder(headersGet(headers, 'content-encoding') ?? '');
	if (f.decoder && f.decoder.length > CODINGS_MAX)
		throw fetchError(f, 'the body is compressed more than ' + CODINGS_MAX + ' times');
	f.told = true;
	const url = f.parts[HREF],
		hash = indexOf(url, '#');
	f.resolve(
		newResponse({
			__proto__: null,
			type: 'basic',
			url: hash < 0 ? url : slice(url, 0, hash),
			redirected: f.hops > 0,
			status,
			statusText: slice(text, indexOf(text, ' ') + 1, end),
			headers: guardHeaders(headers, IMMUTABLE),
			body: newBody(undefined, empty ? undefined : responseStream(f), null),
		}),
	);
}

function takeChunk(f, bytes) {
	const { chunk } = f;
	if (f.decoder) giveEncoded(f.decoder, bytes);
	else if (typedArrayBytes(bytes) > 0) enqueueBytes(f.s.controller, bytes);
	if (f.decoder && !passDecoded(f)) return sendOperation(f.id, FETCH_TAKE);
	f.chunk = null;
	release(f);
	return chunk.resolve(undefined);
}

// The rest of an encoded body is decoded as it is read.
function takeEnd(f) {
	if (f.decoder) giveEncoded(f.decoder, undefined);
	else if (f.s) endBodyOf(f);
	else finishFetch(f);
	if (f.decoder && f.chunk) passDecoded(f);
	if (f.chunk) f.chunk.resolve(undefined);
}

function takeEvent(f, kind, bytes, last) {
	if (kind === FETCH_HEAD) {
		takeHead(f, bytes);
	} else if (kind === FETCH_CHUNK) {
		takeChunk(f, bytes);
	} else if (kind === FETCH_SENT) {
		const { sent } = f;
		f.sent = null;
		if (sent) sent();
	} else if (last) {
		const error = kind === FETCH_END ? undefined : fetchError(f, textOf(bytes));
		closeExchange(f, error);
		if (error) return failFetch(f, error);
		f.received = true;
		takeEnd(f);
	}
}

// ---- The request's body ----

function sendBytes(f, bytes, then) {
	const buffer = typedArrayBuffer(bytes),
		offset = typedArrayOffset(bytes),
		length = typedArrayBytes(bytes);
	let at = 0;
	const next = () => {
		if (f.over) return;
		if (at === length) return then();
		const size = min(CHUNK_BYTES, length - at);
		f.sent = next;
		sendOperation(f.id, FETCH_BODY, new Uint8Array(buffer, offset + at, size));
		at += size;
	};
	next();
}

const endBody = f => {
	sendOperation(f.id, FETCH_BODY_END);
};

function sendStream(f, s) {
	const reader = (f.source = acquireReader(s)),
		exchange = f.id;
	const isOver = () => f.over || f.id !== exchange;
	const fail = error => {
		if (!isOver()) failFetch(f, error);
	};
	const request = {
		__proto__: null,
		chunk: value => {
			if (isOver()) return;
			if (classOf(value) !== 'Uint8Array') fail(notBytes());
			else sendBytes(f, copyBytes(value), next);
		},
		close: () => {
			if (isOver()) return;
			f.source = null;
			endBody(f);
		},
		error: fail,
	};
	const next = () => readFrom(reader, request);
	next();
}

function sendBody(f) {
	if (f.body.s) sendStream(f, f.body.s);
	else if (f.body.bytes) sendBytes(f, f.body.bytes, () => endBody(f));
}

function startExchange(f) {
	const url = f.parts[HREF],
		hash = indexOf(url, '#'),
		list = headersList(f.headers);
	let request =
		f.method +
		'\n' +
		(hash < 0 ? url : slice(url, 0, hash)) +
		'\n' +
		(f.body.s ? '?' : f.body.bytes ? typedArrayBytes(f.body.bytes) : isEmptyPost(f) ? '0' : '-') +
		'\n';
	for (let i = 0; i < list.length; i += 2) request += lowerCase(list[i]) + ':' + list[i + 1] + '\n';
	if (f.decodes && !headersHas(f.headers, 'accept-encoding')) request += 'accept-encoding:' + codingsFor(f) + '\n';
	f.id = beginOperation(FETCH, request, (kind, bytes, last) => {
		// Invalid data from a server fails only its own fetch, nothing else of the program.
		try {
			takeEvent(f, kind, bytes, last);
		} catch (error) {
			failFetch(f, error);
		}
	});
	f.over = false;
	hold(f);
	sendBody(f);
}

// Some intermediaries damage Brotli that they can read. A part of an encoded body could not be decoded.
function codingsFor(f) {
	if (headersHas(f.headers, 'range')) return 'identity';
	return startsWith(f.parts[HREF], 'https:') ? 'br, gzip, deflate' : 'gzip, deflate';
}

// These methods send a body even if it is empty.
const isEmptyPost = f => f.method === 'POST' || f.method === 'PUT';

// ---- Redirects ----

function dropHeaders(f, names) {
	for (let i = 0; i < names.length; i++) headersDelete(f.headers, names[i]);
}
const headersDelete = uncurry(Headers.prototype.delete);
const bodyHeaders = ['content-encoding', 'content-language', 'content-location', 'content-type'];
const secretHeaders = ['authorization', 'cookie'];

function redirectTarget(f, location) {
	if (++f.hops > REDIRECTS_MAX) throw fetchError(f, 'it redirects more than ' + REDIRECTS_MAX + ' times');
	// The bytes of the header are read as UTF-8.
	const parts = urlParse(latinToText(location), f.parts[HREF]);
	if (!parts) throw fetchError(f, 'it redirects to what is not a URL');
	const scheme = readPart(parts, PROTOCOL);
	if (scheme !== 'http:' && scheme !== 'https:')
		throw fetchError(f, 'it redirects to a URL of ' + slice(scheme, 0, 64) + ', and only http and https are followed');
	if (readPart(parts, USERNAME) !== '' || readPart(parts, PASSWORD) !== '')
		throw fetchError(f, 'it redirects to a URL with a user or password');
	return parts;
}

function latinToText(text) {
	const bytes = new Uint8Array(text.length);
	for (let i = 0; i < text.length; i++) bytes[i] = codeUnit(text, i);
	return textOf(bytes);
}

function followRedirect(f, status, location) {
	endExchange(f, undefined);
	try {
		const parts = redirectTarget(f, location);
		// As the standard has it, also where the next request would have no body.
		if (f.body.s && status !== 303)
			throw fetchError(f, 'it redirects, and a body that is a stream cannot be sent again');
		const becomesGet = status === 303 ? f.method !== 'GET' && f.method !== 'HEAD' : status < 303 && f.method === 'POST';
		if (becomesGet) {
			f.method = 'GET';
			f.body = emptyBody();
			dropHeaders(f, bodyHeaders);
		}
		if (originOf(parts) !== originOf(f.parts)) dropHeaders(f, secretHeaders);
		f.parts = parts;
		startExchange(f);
	} catch (error) {
		failFetch(f, error);
	}
}

// ---- Requests without an exchange ----

const urlWithoutHash = parts => {
	const hash = indexOf(parts[HREF], '#');
	return hash < 0 ? parts[HREF] : slice(parts[HREF], 0, hash);
};

const localResponse = (r, statusText, type, bytes, init = undefined, status = 200) => {
	const headers = new Headers(init);
	if (type !== '') headersAppend(headers, 'content-type', type);
	return newResponse({
		__proto__: null,
		type: 'basic',
		url: urlWithoutHash(r.parts),
		redirected: false,
		status,
		statusText,
		headers: guardHeaders(headers, IMMUTABLE),
		body: newBody(r.method === 'HEAD' ? undefined : bytes, undefined, null),
	});
};

function percentDecode(text) {
	const bytes = utf8Encode(text),
		length = typedArrayBytes(bytes),
		out = new Uint8Array(length);
	let count = 0;
	for (let i = 0; i < length; i++) {
		const digits = bytes[i] === 37 && i + 2 < length ? hexValue(bytes[i + 1]) * 16 + hexValue(bytes[i + 2]) : NaN;
		out[count++] = digits >= 0 ? digits : bytes[i];
		if (digits >= 0) i += 2;
	}
	return subBytes(out, 0, count);
}
const hexValue = c => (c >= 48 && c <= 57 ? c - 48 : (c | 32) >= 97 && (c | 32) <= 102 ? (c | 32) - 87 : NaN);

function fetchData(r) {
	const url = urlWithoutHash(r.parts),
		comma = indexOf(url, ',');
	if (comma < 0) throw new TypeError('The data: URL has no comma');
	let type = trimAscii(slice(url, 5, comma)),
		bytes = percentDecode(slice(url, comma + 1));
	const marker = lowerCase(type),
		semicolon = lastSemicolon(marker);
	if (semicolon >= 0 && trimAscii(slice(marker, semicolon + 1)) === 'base64') {
		type = slice(type, 0, semicolon);
		bytes = decodeDataBase64(bytes);
	}
	if (startsWith(type, ';')) type = 'text/plain' + type;
	const mime = parseMimeType(type);
	return localResponse(r, 'OK', mime === null ? 'text/plain;charset=US-ASCII' : mimeText(mime), bytes);
}

function lastSemicolon(text) {
	for (let i = text.length - 1; i >= 0; i--) {
		if (text[i] === ';') return i;
	}
	return -1;
}

function decodeDataBase64(bytes) {
	let text;
	try {
		text = decodeBase64(textOf(bytes));
	} catch {
		throw new TypeError('The data: URL is not base64');
	}
	const out = new Uint8Array(text.length);
	for (let i = 0; i < text.length; i++) out[i] = codeUnit(text, i);
	return out;
}

function fetchBlob(r) {
	const blob = mapGet(blobUrls, urlWithoutHash(r.parts));
	if (!blob || r.method !== 'GET') throw new TypeError('There is nothing at that blob: URL');
	const bytes = blobBytes(blob),
		size = typedArrayBytes(bytes),
		range = headersGet(r.headers, 'range');
	if (range === null) return localResponse(r, 'OK', blobType(blob), bytes, { __proto__: null, 'content-length': size });
	const { start, end } = rangeWithin(range, size);
	const headers = {
		__proto__: null,
		'content-length': end - start,
		'content-range': 'bytes ' + start + '-' + (end - 1) + '/' + size,
	};
	return localResponse(r, 'Partial Content', blobType(blob), subBytes(bytes, start, end), headers, 206);
}

// The one range of a Range header: "bytes=2-4", "bytes=2-" or "bytes=-3".
function rangeWithin(text, size) {
	const dash = indexOf(text, '-');
	const [first, last] = dash < 0 ? ['', ''] : [trim(slice(text, 6, dash)), trim(slice(text, dash + 1))];
	if (!startsWith(text, 'bytes=') || !isDigits(first + last))
		throw new TypeError('The range is malformed: ' + slice(text, 0, 64));
	const start = first === '' ? max(0, size - last) : +first;
	const end = first === '' || last === '' ? size : min(size, +last + 1);
	if (start >= end) throw new TypeError('The range is outside of the blob: ' + slice(text, 0, 64));
	return { start, end };
}

// ---- Integrity (Subresource Integrity, W3C) ----

// The number of a hash is also its strength.
const integrityHashes = { __proto__: null, sha256: 1, sha384: 2, sha512: 3 };

// The values of the strongest hash that the text names. It may name none.
function readIntegrity(text) {
	let hash = 0,
		values = [];
	for (let at = 0, end; at < text.length; at = end + 1) {
		for (end = at; end < text.length && !isHttpSpace(codeUnit(text, end)) && codeUnit(text, end) !== 12; ) end++;
		const item = slice(text, at, end),
			dash = indexOf(item, '-'),
			options = indexOf(item, '?');
		const strength = dash < 0 ? 0 : (integrityHashes[lowerCase(slice(item, 0, dash))] ?? 0);
		if (strength > hash) values = [];
		hash = max(hash, strength);
		if (strength > 0 && strength === hash) push(values, slice(item, dash + 1, options < 0 ? item.length : options));
	}
	return { __proto__: null, hash, values };
}

// Whether base64, of either alphabet, is that of the bytes.
function isBase64Of(value, bytes) {
	let text = '';
	for (let i = 0; i < value.length; i++) text += value[i] === '-' ? '+' : value[i] === '_' ? '/' : value[i];
	try {
		text = decodeBase64(text);
	} catch {
		return false;
	}
	if (text.length !== typedArrayBytes(bytes)) return false;
	for (let i = 0; i < text.length; i++) {
		if (codeUnit(text, i) !== bytes[i]) return false;
	}
	return true;
}

// The promise of the response, whose body has been read and has one of the hashes.
function withIntegrity(response, { hash, values }, trace) {
	const fail = reason => {
		throw errorAt('fetch failed: ' + reason, trace);
	};
	const state = responseState(response);
	if (!hasBody(state.body)) fail('the response has no body, so not the one that integrity names');
	return promiseThen(readBody(state.body), bytes => {
		const own = digest(hash, bytes);
		let isRight = false;
		for (let i = 0; i < values.length; i++) isRight ||= isBase64Of(values[i], own);
		if (!isRight) fail('the body is not the one that integrity names');
		state.body = newBody(bytes, undefined, null);
		return response;
	});
}

// What resolves the promise of a fetch. A response whose hash is asked for is resolved with when all of it is there.
function resolverOf(r, resolve, reject) {
	const integrity = readIntegrity(r.integrity);
	if (integrity.hash === 0) return resolve;
	const trace = traceOf(new Error());
	return response => {
		try {
			resolve(withIntegrity(response, integrity, trace));
		} catch (error) {
			reject(error);
		}
	};
}

function beginFetch(input, init, count, decodes, { resolve, reject }) {
	needArguments('fetch', 1, count);
	const r = requestState(new Request(input, init));
	const { signal } = r;
	if (signal && isAborted(signal)) throw abortReason(signal);
	if (isUnusable(r.body)) throw new TypeError('The body was read already, or is being read');
	const scheme = readPart(r.parts, PROTOCOL),
		answer = resolverOf(r, resolve, reject);
	if (scheme === 'data:' || scheme === 'blob:') return answer(scheme === 'data:' ? fetchData(r) : fetchBlob(r));
	needHttp(r.parts);
	const f = newFetch(r, answer, reject, decodes);
	if (signal) onAbort(signal, (f.onAbort = () => failFetch(f, abortReason(signal))));
	return startExchange(f);
}

function newFetchPromise(input, init, count, decodes) {
	const result = newPromise();
	try {
		beginFetch(input, init, count, decodes, result);
	} catch (error) {
		result.reject(error);
	}
	return result.promise;
}

// For node:http: asks for no Content-Encoding and undoes none.
const fetchEncoded = (input, init) => newFetchPromise(input, init, 2, false);

const fetchFunctions = {
	fetch(input, init = undefined) {
		return newFetchPromise(input, init, arguments.length, true);
	},
};
