// SPDX-License-Identifier: Apache-2.0
// URL and URLSearchParams of the URL Standard. A URL is stored as its serialised text and the offsets of its parts.

// In the order of enum url_part in web.c.
const PROTOCOL = 0,
	USERNAME = 1,
	PASSWORD = 2,
	HOST = 3,
	HOSTNAME = 4,
	PORT = 5,
	PATHNAME = 6,
	SEARCH = 7,
	HASH = 8;
// The layout of what web.c returns: the text, then the offsets of the parts.
const HREF = 0,
	PROTOCOL_END = 1,
	USERNAME_END = 2,
	HOST_START = 3,
	HOST_END = 4,
	PORT_NUMBER = 5,
	PATHNAME_START = 6,
	SEARCH_START = 7,
	HASH_START = 8;

// The error has the properties of Node's, by which programs recognise it.
function invalidUrl(input) {
	const error = new TypeError('Invalid URL');
	const add = (key, value) =>
		defineProperty(error, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
	add('code', 'ERR_INVALID_URL');
	add('input', input);
	return error;
}

// If there are credentials, the host begins after their "@".
function hostStart(parts) {
	const start = parts[HOST_START];
	return parts[HOST_END] > start && parts[HREF][start] === '@' ? start + 1 : start;
}

const partReaders = [
	p => slice(p[HREF], 0, p[PROTOCOL_END]),
	p => (p[PROTOCOL_END] + 2 < p[USERNAME_END] ? slice(p[HREF], p[PROTOCOL_END] + 2, p[USERNAME_END]) : ''),
	p => (p[HOST_START] > p[USERNAME_END] ? slice(p[HREF], p[USERNAME_END] + 1, p[HOST_START]) : ''),
	// Between an empty host and the path there may be "/.", which belongs to neither.
	p => (hostStart(p) === p[HOST_END] ? '' : slice(p[HREF], hostStart(p), p[PATHNAME_START])),
	p => slice(p[HREF], hostStart(p), p[HOST_END]),
	p => (p[PORT_NUMBER] < 0 ? '' : toText(p[PORT_NUMBER])),
	p => slice(p[HREF], p[PATHNAME_START], p[SEARCH_START] >= 0 ? p[SEARCH_START] : partEnd(p)),
	p => (p[SEARCH_START] < 0 || partEnd(p) - p[SEARCH_START] <= 1 ? '' : slice(p[HREF], p[SEARCH_START], partEnd(p))),
	p => (p[HASH_START] < 0 || p[HREF].length - p[HASH_START] <= 1 ? '' : slice(p[HREF], p[HASH_START])),
];
const partEnd = p => (p[HASH_START] >= 0 ? p[HASH_START] : p[HREF].length);
const readPart = (parts, part) => partReaders[part](parts);

function originOf(parts) {
	const protocol = readPart(parts, PROTOCOL);
	switch (protocol) {
		case 'http:':
		case 'https:':
		case 'ws:':
		case 'wss:':
		case 'ftp:':
			return protocol + '//' + readPart(parts, HOST);
		case 'blob:': {
			const inner = urlParse(readPart(parts, PATHNAME), undefined);
			const scheme = inner && readPart(inner, PROTOCOL);
			return scheme === 'http:' || scheme === 'https:' ? originOf(inner) : 'null';
		}
		default:
			return 'null';
	}
}

let isSearchParams, isUrl, attachParams, refreshParams, paramsList, setUrlSearch;

class URLSearchParams {
	#list = []; // name, value, name, value, ...
	#url = null; // the URL whose query this is

	constructor(init = '') {
		if (!isObject(init)) {
			const text = toScalarString(init);
			this.#list = formParse(text[0] === '?' ? slice(text, 1) : text);
			return;
		}
		const iterate = init[Symbol.iterator];
		if (iterate === undefined || iterate === null) this.#addRecord(init);
		else this.#addSequence(init);
	}

	#addSequence(sequence) {
		for (const pair of sequence) {
			if (!isObject(pair)) throw new TypeError('A search parameter is not a pair of name and value');
			const items = [];
			for (const item of pair) push(items, toScalarString(item));
			if (items.length !== 2)
				throw new TypeError('A search parameter has ' + items.length + ' items, not name and value');
			this.#add(items[0], items[1]);
		}
	}

	// Replacing lone surrogates can make two names equal. Then the later value counts.
	#addRecord(record) {
		const keys = ownKeys(record);
		const places = new Map();
		for (let i = 0; i < keys.length; i++) {
			const descriptor = getOwnPropertyDescriptor(record, keys[i]);
			if (!descriptor || !descriptor.enumerable) continue;
			const name = toScalarString(keys[i]);
			const value = toScalarString(record[keys[i]]);
			const place = mapGet(places, name);
			if (place !== undefined) {
				this.#list[place] = value;
			} else {
				mapSet(places, name, this.#list.length + 1);
				this.#add(name, value);
			}
		}
	}

	#add(name, value) {
		push(this.#list, name);
		push(this.#list, value);
	}

	#update() {
		if (this.#url) setUrlSearch(this.#url, formSerialize(this.#list, this.#list.length));
	}

	get size() {
		return this.#list.length / 2;
	}

	append(name, value) {
		needArguments('append', 2, arguments.length);
		this.#list;
		name = toScalarString(name);
		this.#add(name, toScalarString(value));
		this.#update();
	}

	delete(name, value = undefined) {
		needArguments('delete', 1, arguments.length);
		this.#list;
		name = toScalarString(name);
		if (value !== undefined) value = toScalarString(value);
		removePairs(this.#list, name, 0, value);
		this.#update();
	}

	get(name) {
		needArguments('get', 1, arguments.length);
		const list = this.#list;
		name = toScalarString(name);
		const i = findPair(list, name);
		return i < 0 ? null : list[i + 1];
	}

	getAll(name) {
		needArguments('getAll', 1, arguments.length);
		const list = this.#list;
		name = toScalarString(name);
		return valuesOfPairs(list, name);
	}

	has(name, value = undefined) {
		needArguments('has', 1, arguments.length);
		const list = this.#list;
		name = toScalarString(name);
		if (value !== undefined) value = toScalarString(value);
		for (let i = findPair(list, name); i >= 0; i = findPair(list, name, i + 2)) {
			if (value === undefined || list[i + 1] === value) return true;
		}
		return false;
	}

	set(name, value) {
		needArguments('set', 2, arguments.length);
		this.#list;
		name = toScalarString(name);
		value = toScalarString(value);
		setPair(this.#list, name, value);
		this.#update();
	}

	// Sorts by name in UTF-16 code units. Pairs with the same name keep their order.
	sort() {
		const list = this.#list;
		const pairs = [];
		for (let i = 0; i < list.length; i += 2) push(pairs, { __proto__: null, name: list[i], value: list[i + 1] });
		sortArray(pairs, (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
		for (let i = 0; i < pairs.length; i++) {
			list[2 * i] = pairs[i].name;
			list[2 * i + 1] = pairs[i].value;
		}
		this.#update();
	}

	forEach(callback, self = undefined) {
		needArguments('forEach', 1, arguments.length);
		this.#list;
		if (typeof callback !== 'function') throw new TypeError('The first argument of forEach is not a function');
		for (let i = 0; i < this.#list.length; i += 2) apply(callback, self, [this.#list[i + 1], this.#list[i], this]);
	}

	keys() {
		this.#list;
		return newParamsIterator(this, 0);
	}
	values() {
		this.#list;
		return newParamsIterator(this, 1);
	}
	entries() {
		this.#list;
		return newParamsIterator(this, 2);
	}
	toString() {
		return formSerialize(this.#list, this.#list.length);
	}

	static {
		isSearchParams = value => isObject(value) && #list in value;
		paramsList = params => params.#list;
		attachParams = (params, url) => {
			params.#url = url;
		};
		refreshParams = (params, search) => {
			params.#list = formParse(search[0] === '?' ? slice(search, 1) : search);
		};
	}
}
defineProperty(URLSearchParams.prototype, Symbol.iterator, {
	__proto__: null,
	value: URLSearchParams.prototype.entries,
	writable: true,
	configurable: true,
});
finishInterface(URLSearchParams, 'URLSearchParams');

const newParamsIterator = makePairIterator('URLSearchParams Iterator', paramsList);

class URL {
	#parts;
	#params = null;

	constructor(url, base = undefined) {
		needArguments('URL', 1, arguments.length);
		url = toScalarString(url);
		if (base !== undefined) base = toScalarString(base);
		this.#parts = urlParse(url, base);
		if (!this.#parts) throw invalidUrl(url);
	}

	static parse(url, base = undefined) {
		needArguments('URL.parse', 1, arguments.length);
		url = toScalarString(url);
		if (base !== undefined) base = toScalarString(base);
		return urlParse(url, base) ? new URL(url, base) : null;
	}

	static createObjectURL(object) {
		needArguments('createObjectURL', 1, arguments.length);
		return createObjectUrl(object);
	}

	static revokeObjectURL(url) {
		needArguments('revokeObjectURL', 1, arguments.length);
		mapDelete(blobUrls, toScalarString(url));
	}

	static canParse(url, base = undefined) {
		needArguments('URL.canParse', 1, arguments.length);
		url = toScalarString(url);
		if (base !== undefined) base = toScalarString(base);
		return urlParse(url, base) !== null;
	}

	#set(part, value) {
		this.#parts = urlSet(this.#parts[HREF], part, toScalarString(value)) || this.#parts;
	}

	#refresh() {
		if (this.#params) refreshParams(this.#params, readPart(this.#parts, SEARCH));
	}

	get href() {
		return this.#parts[HREF];
	}
	set href(value) {
		this.#parts;
		value = toScalarString(value);
		const parts = urlParse(value, undefined);
		if (!parts) throw invalidUrl(value);
		this.#parts = parts;
		this.#refresh();
	}
	get origin() {
		return originOf(this.#parts);
	}
	get protocol() {
		return readPart(this.#parts, PROTOCOL);
	}
	set protocol(value) {
		this.#set(PROTOCOL, value);
	}
	get username() {
		return readPart(this.#parts, USERNAME);
	}
	set username(value) {
		this.#set(USERNAME, value);
	}
	get password() {
		return readPart(this.#parts, PASSWORD);
	}
	set password(value) {
		this.#set(PASSWORD, value);
	}
	get host() {
		return readPart(this.#parts, HOST);
	}
	set host(value) {
		this.#set(HOST, value);
	}
	get hostname() {
		return readPart(this.#parts, HOSTNAME);
	}
	set hostname(value) {
		this.#set(HOSTNAME, value);
	}
	get port() {
		return readPart(this.#parts, PORT);
	}
	set port(value) {
		this.#set(PORT, value);
	}
	get pathname() {
		return readPart(this.#parts, PATHNAME);
	}
	set pathname(value) {
		this.#set(PATHNAME, value);
	}
	get search() {
		return readPart(this.#parts, SEARCH);
	}
	set search(value) {
		this.#set(SEARCH, value);
		this.#refresh();
	}
	get searchParams() {
		if (!this.#params) {
			this.#params = new URLSearchParams(readPart(this.#parts, SEARCH));
			attachParams(this.#params, this);
		}
		return this.#params;
	}
	get hash() {
		return readPart(this.#parts, HASH);
	}
	set hash(value) {
		this.#set(HASH, value);
	}

	toString() {
		return this.#parts[HREF];
	}
	toJSON() {
		return this.#parts[HREF];
	}

	static {
		isUrl = value => isObject(value) && #parts in value;
		setUrlSearch = (url, search) => {
			url.#set(SEARCH, search);
		};
	}
}
finishInterface(URL, 'URL');
