// SPDX-License-Identifier: Apache-2.0
// Blob and File of the File API, FormData of the XMLHttpRequest Standard, reading and writing of multipart bodies, and
// blob URLs.

// Converts a sequence of Web IDL to a list.
function toSequence(value, what) {
	const iterate = isObject(value) ? value[Symbol.iterator] : undefined;
	if (typeof iterate !== 'function') throw new TypeError(what + ' is not a sequence');
	const list = [];
	for (const item of { [Symbol.iterator]: () => apply(iterate, value, []) }) push(list, item);
	return list;
}

// Converts line ends to those of the platform.
function nativeLineEnds(text) {
	let result = '',
		start = 0;
	for (let at; (at = indexOf(text, '\r', start)) >= 0; start = at + (text[at + 1] === '\n' ? 2 : 1))
		result += slice(text, start, at) + '\n';
	return result + slice(text, start);
}

function blobPartBytes(part, endings) {
	if (isBlob(part)) return blobBytes(part);
	const bytes = bytesOf(part);
	if (bytes) return bytes;
	const text = toScalarString(part);
	return utf8Encode(endings === 'native' ? nativeLineEnds(text) : text);
}

// A type is lower-case printable ASCII, or empty.
function toBlobType(type) {
	for (let i = 0; i < type.length; i++) {
		const c = codeUnit(type, i);
		if (c < 32 || c > 126) return '';
	}
	return lowerCase(type);
}

function readBlobOptions(options, what) {
	options = toDictionary(options, what);
	let { endings } = options;
	if (endings !== undefined) {
		endings = toText(endings);
		if (endings !== 'transparent' && endings !== 'native')
			throw new TypeError('The endings are neither transparent nor native: ' + slice(endings, 0, 64));
	}
	const { type } = options;
	return { __proto__: null, endings, type: type === undefined ? '' : toBlobType(toText(type)), options };
}

function joinParts(parts, endings) {
	const chunks = [];
	let total = 0;
	for (let i = 0; i < parts.length; i++) {
		const bytes = blobPartBytes(parts[i], endings);
		push(chunks, bytes);
		total += typedArrayBytes(bytes);
	}
	const all = new Uint8Array(total);
	for (let i = 0, at = 0; i < chunks.length; i++) {
		typedArraySet(all, chunks[i], at);
		at += typedArrayBytes(chunks[i]);
	}
	return all;
}

const BLOB_CHUNK_BYTES = 65536;

// Reads memory that nobody changes. Each chunk is a copy.
function bytesStream(bytes) {
	let at = 0;
	const length = typedArrayBytes(bytes);
	const s = newByteSource(() => {
		if (at === length) return endSource(s.controller);
		const end = min(at + BLOB_CHUNK_BYTES, length);
		const chunk = copyBytes(subBytes(bytes, at, end));
		at = end;
		return enqueueBytes(s.controller, chunk);
	}, undefined);
	return s;
}

const subBytes = (bytes, start, end) =>
	new Uint8Array(typedArrayBuffer(bytes), typedArrayOffset(bytes) + start, end - start);

function copyBytes(bytes) {
	const copy = new Uint8Array(typedArrayBytes(bytes));
	typedArraySet(copy, bytes);
	return copy;
}

// Ends the source. Pending reads get no more data.
function endSource(c) {
	closeController(c);
	if (c.isByte && queueLength(c.pullIntos) > 0) respond(c, 0);
}

let newBlob, isBlob, blobBytes, blobType;

class Blob {
	#bytes;
	#type;

	constructor(blobParts = undefined, options = undefined) {
		if (blobParts === construct) {
			this.#bytes = arguments[1];
			this.#type = arguments[2];
			return;
		}
		const parts = blobParts === undefined ? [] : toSequence(blobParts, 'The first argument of Blob');
		const { endings, type } = readBlobOptions(options, 'The second argument of Blob');
		this.#bytes = joinParts(parts, endings);
		this.#type = type;
	}

	get size() {
		return typedArrayBytes(this.#bytes);
	}
	get type() {
		return this.#type;
	}

	slice(start = undefined, end = undefined, contentType = undefined) {
		const size = typedArrayBytes(this.#bytes);
		const from = toPlace(start, 0, size),
			to = toPlace(end, size, size);
		const type = contentType === undefined ? '' : toBlobType(toText(contentType));
		return newBlob(subBytes(this.#bytes, from, max(from, to)), type);
	}

	stream() {
		return streamOf(bytesStream(this.#bytes));
	}
	text() {
		return promiseOfMethod(() => textOf(this.#bytes));
	}
	arrayBuffer() {
		return promiseOfMethod(() => typedArrayBuffer(copyBytes(this.#bytes)));
	}
	bytes() {
		return promiseOfMethod(() => copyBytes(this.#bytes));
	}

	static {
		isBlob = value => isObject(value) && #bytes in value;
		newBlob = (bytes, type) => new Blob(construct, bytes, type);
		blobBytes = blob => blob.#bytes;
		blobType = blob => blob.#type;
	}
}
finishInterface(Blob, 'Blob');

// A position in a blob. A negative one counts from its end.
function toPlace(value, otherwise, size) {
	if (value === undefined) return otherwise;
	const number = trunc(+value);
	if (isNotANumber(number)) return 0;
	return number < 0 ? max(size + number, 0) : min(number, size);
}

let newFile, isFile, fileName, fileDate;

class File extends Blob {
	#name;
	#lastModified;

	constructor(fileBits, name, options = undefined) {
		if (fileBits === construct) {
			const given = arguments[1];
			super(construct, given.bytes, given.type);
			this.#name = given.name;
			this.#lastModified = given.lastModified;
			return;
		}
		needArguments('File', 2, arguments.length);
		const parts = toSequence(fileBits, 'The first argument of File');
		name = toScalarString(name);
		const read = readBlobOptions(options, 'The third argument of File');
		super(construct, joinParts(parts, read.endings), read.type);
		this.#name = name;
		const { lastModified } = read.options;
		this.#lastModified = lastModified === undefined ? dateNow() : toLongLong(lastModified);
	}

	get name() {
		return this.#name;
	}
	get lastModified() {
		return this.#lastModified;
	}
	get webkitRelativePath() {
		return this.#name === undefined ? undefined : '';
	}

	static {
		isFile = value => isObject(value) && #name in value;
		newFile = (bytes, type, name, lastModified) =>
			new File(construct, { __proto__: null, bytes, type, name, lastModified });
		fileName = file => file.#name;
		fileDate = file => file.#lastModified;
	}
}
finishInterface(File, 'File');

function toLongLong(value) {
	const number = trunc(+value);
	return isNotANumber(number) || number === Infinity || number === -Infinity ? 0 : number + 0;
}

// ---- URLs of blobs ----

const blobUrls = new Map();

function createObjectUrl(object) {
	if (!isBlob(object)) throw new TypeError('The argument of createObjectURL is not a Blob');
	const url = 'blob:null/' + newUuid();
	mapSet(blobUrls, url, object);
	return url;
}

// ---- FormData ----

let isFormData, formEntries, newFormData;

class FormData {
	#list = []; // name, value, name, value, ...

	constructor(form = undefined, submitter = undefined) {
		if (form !== undefined && form !== construct)
			throw new TypeError('There are no forms here for FormData to be made of');
		if (submitter !== undefined && submitter !== null && form !== construct)
			throw new TypeError('There are no submitters here');
		if (form === construct) this.#list = submitter;
	}

	append(name, value, fileName = undefined) {
		needArguments('append', 2, arguments.length);
		push(this.#list, toScalarString(name));
		try {
			push(this.#list, toEntry(value, fileName, arguments.length, 'append'));
		} catch (error) {
			this.#list.length--;
			throw error;
		}
	}

	delete(name) {
		needArguments('delete', 1, arguments.length);
		removePairs(this.#list, toScalarString(name));
	}

	get(name) {
		needArguments('get', 1, arguments.length);
		name = toScalarString(name);
		const i = findPair(this.#list, name);
		return i < 0 ? null : this.#list[i + 1];
	}

	getAll(name) {
		needArguments('getAll', 1, arguments.length);
		name = toScalarString(name);
		return valuesOfPairs(this.#list, name);
	}

	has(name) {
		needArguments('has', 1, arguments.length);
		name = toScalarString(name);
		return findPair(this.#list, name) >= 0;
	}

	set(name, value, fileName = undefined) {
		needArguments('set', 2, arguments.length);
		name = toScalarString(name);
		setPair(this.#list, name, toEntry(value, fileName, arguments.length, 'set'));
	}

	forEach(callback, thisArgument = undefined) {
		needArguments('forEach', 1, arguments.length);
		if (typeof callback !== 'function') throw new TypeError('The argument of forEach is not a function');
		for (let i = 0; i < this.#list.length; i += 2)
			apply(callback, thisArgument, [this.#list[i + 1], this.#list[i], this]);
	}

	keys() {
		return this.#list && newFormIterator(this, 0);
	}
	values() {
		return this.#list && newFormIterator(this, 1);
	}
	entries() {
		return this.#list && newFormIterator(this, 2);
	}

	static {
		isFormData = value => isObject(value) && #list in value;
		formEntries = form => form.#list;
		newFormData = list => new FormData(construct, list);
	}
}
defineProperty(FormData.prototype, Symbol.iterator, {
	__proto__: null,
	value: FormData.prototype.entries,
	writable: true,
	configurable: true,
});
finishInterface(FormData, 'FormData');
const newFormIterator = makePairIterator('FormData Iterator', formEntries);

function toEntry(value, name, count, what) {
	if (!isBlob(value)) {
		if (count > 2) throw new TypeError('The second argument of ' + what + ' is not a Blob, but a file name is given');
		return toScalarString(value);
	}
	if (name === undefined && isFile(value)) return value;
	return newFile(
		blobBytes(value),
		blobType(value),
		name === undefined ? 'blob' : toScalarString(name),
		isFile(value) ? fileDate(value) : dateNow(),
	);
}

// ---- Multipart bodies ----

// Converts every line end to CR LF.
function formLineEnds(text) {
	let result = '',
		start = 0;
	for (let i = 0; i < text.length; i++) {
		const c = codeUnit(text, i);
		if (c !== 10 && c !== 13) continue;
		result += slice(text, start, i) + '\r\n';
		if (c === 13 && text[i + 1] === '\n') i++;
		start = i + 1;
	}
	return result + slice(text, start);
}

const escapeName = text => replaceAll(replaceAll(replaceAll(text, '\n', '%0A'), '\r', '%0D'), '"', '%22');
const unescapeName = text =>
	indexOf(text, '%') < 0
		? text
		: replaceAll(
				replaceAll(replaceAll(replaceAll(replaceAll(text, '%0A', '\n'), '%0a', '\n'), '%0D', '\r'), '%0d', '\r'),
				'%22',
				'"',
			);

function encodeMultipart(form) {
	const boundary = '----CurfewFormBoundary' + replaceAll(newUuid(), '-', '');
	const list = formEntries(form),
		parts = [];
	for (let i = 0; i < list.length; i += 2) {
		const value = list[i + 1];
		let head = '--' + boundary + '\r\nContent-Disposition: form-data; name="' + escapeName(formLineEnds(list[i])) + '"';
		if (typeof value === 'string') {
			push(parts, head + '\r\n\r\n' + formLineEnds(value) + '\r\n');
			continue;
		}
		head +=
			'; filename="' +
			escapeName(fileName(value)) +
			'"\r\nContent-Type: ' +
			(blobType(value) === '' ? 'application/octet-stream' : blobType(value)) +
			'\r\n\r\n';
		push(parts, head);
		push(parts, value);
		push(parts, '\r\n');
	}
	push(parts, '--' + boundary + '--\r\n');
	return newBody(joinParts(parts, undefined), undefined, 'multipart/form-data; boundary=' + boundary);
}

const malformedForm = () => new TypeError('The body is not a form of its type');

function isBlank(text, at) {
	return text[at] === ' ' || text[at] === '\t';
}

// The text of RFC 8187: UTF-8'language'percent-encoded.
function decodeExtended(text) {
	const second = indexOf(text, "'", indexOf(text, "'") + 1);
	if (second < 0 || !startsWith(lowerCase(text), "utf-8'")) throw malformedForm();
	return textOf(percentDecode(slice(text, second + 1)));
}

// Reads the parameter at a position into the Map. Returns the position behind it.
function readPartParameter(text, at, parameters) {
	const equals = indexOf(text, '=', at);
	const name = equals < 0 ? '' : lowerCase(slice(text, at, equals));
	if (!isToken(name) || mapHas(parameters, name)) throw malformedForm();
	const isQuoted = text[equals + 1] === '"',
		start = equals + (isQuoted ? 2 : 1);
	let end = indexOf(text, isQuoted ? '"' : ';', start);
	if (end < 0 && isQuoted) throw malformedForm();
	if (end < 0) end = text.length;
	const value = slice(text, start, end);
	if (!isQuoted && !isToken(trimAscii(value))) throw malformedForm();
	mapSet(parameters, name, isQuoted ? unescapeName(value) : trimAscii(value));
	return isQuoted ? end + 1 : end;
}

// What is ambiguous is malformed, because another reader may understand something else: a parameter that occurs twice,
// and text behind the quotes.
function readDisposition(text, head) {
	const parameters = new Map();
	if (lowerCase(slice(text, 0, 9)) !== 'form-data') throw malformedForm();
	for (let at = 9; ; ) {
		while (isBlank(text, at)) at++;
		if (at === text.length) break;
		if (text[at++] !== ';') throw malformedForm();
		while (isBlank(text, at)) at++;
		if (at < text.length) at = readPartParameter(text, at, parameters);
	}
	head.name = mapGet(parameters, 'name');
	const extended = mapGet(parameters, 'filename*');
	head.file = extended === undefined ? mapGet(parameters, 'filename') : decodeExtended(extended);
}

function parsePartHead(text) {
	const head = { __proto__: null, name: undefined, file: undefined, type: 'text/plain', isBase64: false };
	const lines = splitLines(text);
	for (let i = 0; i < lines.length; i++) {
		const colon = indexOf(lines[i], ':');
		if (colon < 0 && trimAscii(lines[i]) === '') continue;
		const key = lowerCase(trimAscii(slice(lines[i], 0, max(colon, 0))));
		if (!isToken(key)) throw malformedForm();
		const value = trimAscii(slice(lines[i], colon + 1));
		if (key === 'content-disposition') readDisposition(value, head);
		else if (key === 'content-type') head.type = value;
		else if (key === 'content-transfer-encoding') head.isBase64 = lowerCase(value) === 'base64';
	}
	if (head.name === undefined) throw malformedForm();
	return head;
}

function decodePart(content) {
	try {
		return fromBase64(textOf(content));
	} catch {
		throw malformedForm();
	}
}

const ascii = text => utf8Encode(text);
const isLineEnd = (bytes, at) => bytes[at] === 13 && bytes[at + 1] === 10;

function parseMultipart(bytes, boundary) {
	const length = typedArrayBytes(bytes),
		list = [];
	const mark = ascii('--' + boundary),
		markLength = typedArrayBytes(mark);
	const between = ascii('\r\n--' + boundary),
		headEnd = ascii('\r\n\r\n');
	let at = findBytes(bytes, mark, 0);
	if (at < 0 || (at > 0 && !isLineEnd(bytes, at - 2))) throw malformedForm();
	for (;;) {
		at += markLength;
		if (bytes[at] === 45 && bytes[at + 1] === 45) return newFormData(list);
		if (!isLineEnd(bytes, at)) throw malformedForm();
		const bodyStart = findBytes(bytes, headEnd, at);
		const bodyEnd = bodyStart < 0 ? -1 : findBytes(bytes, between, bodyStart + 2);
		if (bodyEnd < 0) throw malformedForm();
		const head = parsePartHead(textOf(subBytes(bytes, at + 2, max(bodyStart, at + 2))));
		const raw = subBytes(bytes, min(bodyStart + 4, bodyEnd), bodyEnd);
		const content = head.isBase64 ? decodePart(raw) : raw;
		push(list, wellFormed(head.name));
		push(
			list,
			head.file === undefined
				? textOf(content)
				: newFile(copyBytes(content), toBlobType(head.type), wellFormed(head.file), dateNow()),
		);
		at = bodyEnd + 2;
		if (at + markLength > length) throw malformedForm();
	}
}

function parseUrlEncoded(bytes) {
	return newFormData(formParse(decode(0, bytes, DECODE_IGNORE_BOM, new Uint8Array(8))));
}

// ---- MIME types ----

// { essence, parameters }. null: it is no MIME type.
function parseMimeType(text) {
	text = trimHttp(text);
	const slash = indexOf(text, '/');
	if (slash <= 0) return null;
	let end = indexOf(text, ';', slash);
	if (end < 0) end = text.length;
	const type = slice(text, 0, slash),
		subtype = trimHttp(slice(text, slash + 1, end));
	if (!isToken(type) || !isToken(subtype)) return null;
	const mime = { __proto__: null, essence: lowerCase(type + '/' + subtype), parameters: new Map() };
	while (end < text.length) end = parseMimeParameter(text, end + 1, mime);
	return mime;
}

// The MIME type of a header that may occur several times: the last valid one, with the charset of the ones before it if
// they name the same type.
function extractMimeType(text) {
	if (indexOf(text, ',') < 0) return parseMimeType(text);
	let result = null,
		charset,
		isQuoted = false;
	for (let start = 0, i = 0; i <= text.length; i++) {
		if (text[i] === '"') isQuoted = !isQuoted;
		else if (isQuoted && text[i] === '\\') i++;
		if (i < text.length && (text[i] !== ',' || isQuoted)) continue;
		const mime = parseMimeType(slice(text, start, i));
		start = i + 1;
		if (mime === null || mime.essence === '*/*') continue;
		if (result === null || result.essence !== mime.essence) charset = mimeParameter(mime, 'charset');
		else if (!mapHas(mime.parameters, 'charset') && charset !== undefined) mapSet(mime.parameters, 'charset', charset);
		result = mime;
	}
	return result;
}

function trimHttp(text) {
	let start = 0,
		end = text.length;
	while (start < end && isHttpSpace(codeUnit(text, start))) start++;
	while (end > start && isHttpSpace(codeUnit(text, end - 1))) end--;
	return slice(text, start, end);
}

function isQuotedText(text) {
	for (let i = 0; i < text.length; i++) {
		const c = codeUnit(text, i);
		if (c !== 9 && (c < 32 || c > 255 || c === 127)) return false;
	}
	return true;
}

// Reads "name=value" at a position. Returns the position of the next semicolon, or the end.
function parseMimeParameter(text, at, mime) {
	while (at < text.length && isHttpSpace(codeUnit(text, at))) at++;
	const start = at;
	while (at < text.length && text[at] !== ';' && text[at] !== '=') at++;
	const name = lowerCase(slice(text, start, at));
	if (at >= text.length || text[at] === ';') return at;
	at++;
	let value = '';
	if (text[at] === '"') {
		for (at++; at < text.length && text[at] !== '"'; at++) {
			if (text[at] === '\\' && at + 1 < text.length) at++;
			value += text[at];
		}
		while (at < text.length && text[at] !== ';') at++;
	} else {
		const from = at;
		while (at < text.length && text[at] !== ';') at++;
		value = trimHttp(slice(text, from, at));
		if (value === '') return at;
	}
	if (isToken(name) && isQuotedText(value) && !mapHas(mime.parameters, name)) mapSet(mime.parameters, name, value);
	return at;
}

const mimeParameter = (mime, name) => mapGet(mime.parameters, name);

function mimeText(mime) {
	let text = mime.essence;
	mapForEach(mime.parameters, (value, name) => {
		text +=
			';' + name + '=' + (isToken(value) ? value : '"' + replaceAll(replaceAll(value, '\\', '\\\\'), '"', '\\"') + '"');
	});
	return text;
}
