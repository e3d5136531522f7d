// SPDX-License-Identifier: Apache-2.0
// Headers, and the common part of Request and Response: a body, as bytes or as a stream, that can be read once.

const tokenExtra = "!#$%&'*+-.^_`|~";
function isToken(text) {
	for (let i = 0; i < text.length; i++) {
		const c = codeUnit(text, i);
		const alphanumeric = (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122);
		if (!alphanumeric && indexOf(tokenExtra, text[i]) < 0) return false;
	}
	return text.length > 0;
}

const isHttpSpace = c => c === 9 || c === 10 || c === 13 || c === 32;

function toToken(value) {
	const name = toText(value);
	if (!isToken(name)) throw new TypeError('The name of a header is malformed: ' + slice(name, 0, 64));
	return name;
}
const toHeaderName = value => lowerCase(toToken(value));

function toHeaderValue(value) {
	const text = toText(value);
	let start = 0,
		end = text.length;
	while (start < end && isHttpSpace(codeUnit(text, start))) start++;
	while (end > start && isHttpSpace(codeUnit(text, end - 1))) end--;
	for (let i = start; i < end; i++) {
		const c = codeUnit(text, i);
		if (c === 0 || c === 10 || c === 13 || c > 255)
			throw new TypeError('The value of a header has characters that no header may have');
	}
	return slice(text, start, end);
}

const IMMUTABLE = 1,
	OF_REQUEST = 2; // guards

// Only the host may set the headers that describe the connection.
const forbiddenHeaders = new Set([
	'connection',
	'content-length',
	'expect',
	'host',
	'keep-alive',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);
const setHas = uncurry(Set.prototype.has);
const isForbiddenHeader = name => setHas(forbiddenHeaders, name) || startsWith(name, 'proxy-');

let headersOf, headersList, headersAsGiven, guardHeaders, isHeaders;

function combinedValue(field) {
	let text = field[1];
	for (let i = 2; i < field.length; i++) text += ', ' + field[i];
	return text;
}

class Headers {
	#fields = new Map(); // from the name in lower case to [the name as it was first given, value, value, ...]
	#guard = 0;
	#sorted = null;

	constructor(init = undefined) {
		if (init !== undefined) this.#fill(init);
	}

	append(name, value) {
		needArguments('append', 2, arguments.length);
		const given = toToken(name);
		name = lowerCase(given);
		value = toHeaderValue(value);
		if (!this.#mayChange(name)) return;
		const field = mapGet(this.#fields, name);
		if (field) push(field, value);
		else mapSet(this.#fields, name, [given, value]);
		this.#sorted = null;
	}

	delete(name) {
		needArguments('delete', 1, arguments.length);
		name = toHeaderName(name);
		if (!this.#mayChange(name)) return;
		mapDelete(this.#fields, name);
		this.#sorted = null;
	}

	get(name) {
		needArguments('get', 1, arguments.length);
		name = toHeaderName(name);
		const field = mapGet(this.#fields, name);
		return field ? combinedValue(field) : null;
	}

	getSetCookie() {
		const field = mapGet(this.#fields, 'set-cookie'),
			values = [];
		for (let i = 1; field && i < field.length; i++) push(values, field[i]);
		return values;
	}

	has(name) {
		needArguments('has', 1, arguments.length);
		name = toHeaderName(name);
		return mapHas(this.#fields, name);
	}

	set(name, value) {
		needArguments('set', 2, arguments.length);
		const given = toToken(name);
		name = lowerCase(given);
		value = toHeaderValue(value);
		if (!this.#mayChange(name)) return;
		mapSet(this.#fields, name, [given, value]);
		this.#sorted = null;
	}

	forEach(callback, thisArgument = undefined) {
		needArguments('forEach', 1, arguments.length);
		if (typeof callback !== 'function') throw new TypeError('The argument of forEach is not a function');
		for (let i = 0; i < this.#entries().length; i += 2)
			apply(callback, thisArgument, [this.#entries()[i + 1], this.#entries()[i], this]);
	}

	keys() {
		this.#fields;
		return newHeadersIterator(this, 0);
	}
	values() {
		this.#fields;
		return newHeadersIterator(this, 1);
	}
	entries() {
		this.#fields;
		return newHeadersIterator(this, 2);
	}

	#fill(init) {
		if (!isObject(init)) throw new TypeError('Headers are made from an object or a list of pairs');
		const iterate = init[Symbol.iterator];
		if (iterate === undefined || iterate === null) {
			const keys = ownKeys(init);
			for (let i = 0; i < keys.length; i++) {
				const property = getOwnPropertyDescriptor(init, keys[i]);
				if (property && property.enumerable) this.append(keys[i], init[keys[i]]);
			}
			return;
		}
		if (isHeaders(init) && iterate === Headers.prototype.entries) {
			const list = headersList(init);
			for (let i = 0; i < list.length; i += 2) this.append(list[i], list[i + 1]);
			return;
		}
		for (const pair of { [Symbol.iterator]: () => apply(iterate, init, []) }) {
			const items = isObject(pair) ? [...pair] : [];
			if (items.length !== 2) throw new TypeError('Each of a list of headers is a pair of name and value');
			this.append(items[0], items[1]);
		}
	}

	#mayChange(name) {
		if (this.#guard === IMMUTABLE) throw new TypeError('These headers cannot be changed');
		return this.#guard !== OF_REQUEST || !isForbiddenHeader(name);
	}

	// The entries for iteration: sorted by name, with the values of one name combined, except for Set-Cookie.
	#entries() {
		if (this.#sorted) return this.#sorted;
		const keys = [];
		mapForEach(this.#fields, (_field, name) => push(keys, name));
		sortArray(keys);
		const entries = [];
		for (let i = 0; i < keys.length; i++) {
			const field = mapGet(this.#fields, keys[i]);
			const values = keys[i] === 'set-cookie' ? this.getSetCookie() : [combinedValue(field)];
			for (let k = 0; k < values.length; k++) {
				push(entries, keys[i]);
				push(entries, values[k]);
			}
		}
		return (this.#sorted = entries);
	}

	static {
		isHeaders = value => isObject(value) && #fields in value;
		headersOf = headers => headers.#entries();
		// name, value, name, value, ...: each value by itself
		headersList = headers => {
			const list = [];
			mapForEach(headers.#fields, field => {
				for (let i = 1; i < field.length; i++) {
					push(list, field[0]);
					push(list, field[i]);
				}
			});
			return list;
		};
		// As the console shows them, which is as Node does.
		headersAsGiven = headers => {
			const list = [];
			mapForEach(headers.#fields, field => {
				push(list, field[0]);
				push(list, combinedValue(field));
			});
			return list;
		};
		guardHeaders = (headers, guard) => {
			headers.#guard = guard;
			return headers;
		};
	}
}
defineProperty(Headers.prototype, Symbol.iterator, {
	__proto__: null,
	value: Headers.prototype.entries,
	writable: true,
	configurable: true,
});
finishInterface(Headers, 'Headers');

const newHeadersIterator = makePairIterator('Headers Iterator', headersOf);

// ---- Bodies ----

// bytes and s: at most one is set. The stream object is made at its first use.
const newBody = (bytes, s, type) => ({ __proto__: null, bytes, s, stream: null, type, used: false });
const emptyBody = () => newBody(undefined, undefined, null);

// Converts a value that a program gave as a body.
function toBody(value) {
	if (value === undefined || value === null) return emptyBody();
	if (isStream(value)) {
		const s = streamState(value);
		if (s.reader || s.disturbed) throw new TypeError('The stream of the body is locked or was read from');
		const body = newBody(undefined, s, null);
		body.stream = value;
		return body;
	}
	const bytes = bytesOf(value);
	if (bytes) return newBody(copyBytes(bytes), undefined, null);
	if (isBlob(value)) return newBody(blobBytes(value), undefined, blobType(value) === '' ? null : blobType(value));
	if (isFormData(value)) return encodeMultipart(value);
	if (isSearchParams(value)) {
		const list = paramsList(value);
		return newBody(
			utf8Encode(formSerialize(list, list.length)),
			undefined,
			'application/x-www-form-urlencoded;charset=UTF-8',
		);
	}
	// As in Node, an async iterable is a body, too.
	const iterate = isObject(value) ? value[Symbol.asyncIterator] : undefined;
	if (iterate !== undefined && iterate !== null) return newBody(undefined, streamFromIterable(value, toPiece), null);
	return newBody(utf8Encode(toText(value)), undefined, 'text/plain;charset=UTF-8');
}

function toPiece(value) {
	const bytes = typeof value === 'string' ? utf8Encode(value) : bytesOf(value);
	if (!bytes) throw new TypeError('A piece of the body is neither text nor bytes');
	return typeof value === 'string' ? bytes : copyBytes(bytes);
}

const isUsed = body => body.used || (body.s !== undefined && body.s.disturbed);
const isUnusable = body => isUsed(body) || (body.s !== undefined && body.s.reader !== null);

function bodyStream(body) {
	if (body.stream || (!body.s && !body.bytes)) return body.stream;
	if (!body.s) {
		const s = (body.s = bytesStream(body.used ? new Uint8Array(0) : body.bytes));
		s.disturbed = body.used;
		body.bytes = undefined;
	}
	return (body.stream = streamOf(body.s));
}

const notBytes = () => new TypeError('A chunk of the body is not a Uint8Array');

function joinChunks(chunks, total, areOwn) {
	if (chunks.length === 1 && areOwn) return chunks[0];
	const all = new Uint8Array(total);
	for (let i = 0, at = 0; i < chunks.length; i++) {
		typedArraySet(all, chunks[i], at);
		at += typedArrayBytes(chunks[i]);
	}
	return all;
}

// Reads all of a stream into one Uint8Array.
function collect(s) {
	const chunks = [],
		result = newPromise(),
		reader = acquireReader(s);
	let total = 0;
	const request = {
		__proto__: null,
		chunk: value => {
			if (classOf(value) !== 'Uint8Array') {
				markHandled(cancelReadable(s, notBytes()));
				result.reject(notBytes());
				return;
			}
			push(chunks, value);
			total += typedArrayBytes(value);
			enqueueMicrotask(next);
		},
		close: () => {
			releaseReader(reader);
			result.resolve(joinChunks(chunks, total, s.controller.isByte));
		},
		error: result.reject,
	};
	const next = () => readFrom(reader, request);
	next();
	return result.promise;
}

// The promise of all bytes of a body, which can be read once. The caller owns the bytes.
function readBody(body) {
	if (isUnusable(body)) throw new TypeError('The body was read already, or is being read');
	body.used = body.s !== undefined || body.bytes !== undefined;
	if (body.s) return collect(body.s);
	return promiseOf(body.bytes ? copyBytes(body.bytes) : new Uint8Array(0));
}

const textOf = bytes => decode(0, bytes, 0, new Uint8Array(8));
const { parse: parseJson } = JSON;
const readers = {
	arrayBuffer: bytes => {
		const buffer = typedArrayBuffer(bytes);
		return bufferBytes(buffer) === typedArrayBytes(bytes) ? buffer : typedArrayBuffer(copyBytes(bytes));
	},
	bytes: bytes => bytes,
	json: bytes => parseJson(textOf(bytes)),
	text: textOf,
	blob: (bytes, type) => newBlob(bytes, type === null ? '' : mimeText(type)),
	formData: (bytes, type) => {
		const essence = type === null ? '' : type.essence;
		const boundary = essence === 'multipart/form-data' ? mimeParameter(type, 'boundary') : undefined;
		if (boundary) return parseMultipart(bytes, boundary);
		if (essence === 'application/x-www-form-urlencoded') return parseUrlEncoded(bytes);
		throw new TypeError('The body is no form: its type is neither multipart/form-data nor form-urlencoded');
	},
};

// The body's type according to the headers. null: there is none, or it is malformed.
function bodyType(headers) {
	const text = headersGet(headers, 'content-type');
	return text === null ? null : extractMimeType(text);
}

// Adds the members that Request and Response share. stateOf(object) has the body.
function addBodyMembers(Interface, stateOf) {
	const define = (name, property) =>
		defineProperty(Interface.prototype, name, { __proto__: null, configurable: true, enumerable: true, ...property });
	define(
		'body',
		getOwnPropertyDescriptor(
			{
				get body() {
					return bodyStream(stateOf(this).body);
				},
			},
			'body',
		),
	);
	define(
		'bodyUsed',
		getOwnPropertyDescriptor(
			{
				get bodyUsed() {
					return isUsed(stateOf(this).body);
				},
			},
			'bodyUsed',
		),
	);
	for (const name of objectKeys(readers)) {
		const convert = readers[name];
		const method = {
			[name]() {
				return promiseOfMethod(() => {
					const { body, headers } = stateOf(this);
					return promiseThen(readBody(body), bytes => convert(bytes, bodyType(headers)));
				});
			},
		};
		define(name, { value: method[name], writable: true });
	}
}

// Clones a body.
function cloneBody(body) {
	if (isUnusable(body)) throw new TypeError('The body was read already, or is being read');
	if (!body.s) return newBody(body.bytes, undefined, body.type);
	const branches = teeStream(body.s, chunk => (classOf(chunk) === 'Uint8Array' ? copyBytes(chunk) : cloneValue(chunk)));
	body.s = branches[0];
	body.stream = null;
	return newBody(undefined, branches[1], body.type);
}
