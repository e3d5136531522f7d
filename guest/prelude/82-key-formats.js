// SPDX-License-Identifier: Apache-2.0
// Formats of keys: base64url, and the part of DER that SPKI and PKCS #8 use.

const { fromCharCode } = String;
const domError = (name, message) => new DOMException(message, name);
const badKey = why => domError('DataError', 'The key data is not valid: ' + why);

function joinBytes(parts) {
	let length = 0;
	for (let i = 0; i < parts.length; i++) length += typedArrayLength(parts[i]);
	const all = new Uint8Array(length);
	for (let i = 0, at = 0; i < parts.length; i++) {
		typedArraySet(all, parts[i], at);
		at += typedArrayLength(parts[i]);
	}
	return all;
}

const viewBytes = (bytes, start, end) =>
	new Uint8Array(typedArrayBuffer(bytes), typedArrayOffset(bytes) + start, end - start);
const copyOfBytes = bytes => joinBytes([bytes]);

function sameBytes(a, b) {
	if (typedArrayLength(a) !== typedArrayLength(b)) return false;
	for (let i = 0; i < typedArrayLength(a); i++) {
		if (a[i] !== b[i]) return false;
	}
	return true;
}

function toBase64Url(bytes) {
	const length = typedArrayLength(bytes),
		chars = [];
	for (let i = 0; i < length; i++) push(chars, fromCharCode(bytes[i]));
	const text = encodeBase64(join(chars, ''));
	let result = '';
	for (let i = 0; i < text.length && text[i] !== '='; i++)
		result += text[i] === '+' ? '-' : text[i] === '/' ? '_' : text[i];
	return result;
}

// undefined: it is not base64url.
function fromBase64Url(text) {
	const chars = [];
	for (let i = 0; i < text.length; i++) {
		const c = codeUnit(text, i);
		const isLetter = (c >= 65 && c <= 90) || (c >= 97 && c <= 122),
			isDigit = c >= 48 && c <= 57;
		if (!isLetter && !isDigit && c !== 45 && c !== 95) return undefined;
		push(chars, c === 45 ? '+' : c === 95 ? '/' : text[i]);
	}
	if (chars.length % 4 === 1) return undefined;
	const decoded = decodeBase64(join(chars, ''));
	const bytes = new Uint8Array(decoded.length);
	for (let i = 0; i < decoded.length; i++) bytes[i] = codeUnit(decoded, i);
	return bytes;
}

// ---- DER ----

const DER_INTEGER = 2,
	DER_BITS = 3,
	DER_OCTETS = 4,
	DER_NULL = 5,
	DER_OID = 6,
	DER_SEQUENCE = 0x30,
	DER_TAGGED = 0xa0;

function bytesOfList(list) {
	const bytes = new Uint8Array(list.length);
	for (let i = 0; i < list.length; i++) bytes[i] = list[i];
	return bytes;
}

function bytesOfHex(hex) {
	const bytes = new Uint8Array(hex.length / 2);
	for (let i = 0; i < hex.length; i += 2) bytes[i / 2] = toInteger(slice(hex, i, i + 2), 16);
	return bytes;
}

const oids = {
	__proto__: null,
	rsa: bytesOfHex('2a864886f70d010101'),
	ec: bytesOfHex('2a8648ce3d0201'),
	X25519: bytesOfHex('2b656e'),
	Ed25519: bytesOfHex('2b6570'),
	'P-256': bytesOfHex('2a8648ce3d030107'),
	'P-384': bytesOfHex('2b81040022'),
	'P-521': bytesOfHex('2b81040023'),
};

function der(tag, parts) {
	const content = joinBytes(parts),
		length = typedArrayLength(content);
	const head =
		length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
	return joinBytes([bytesOfList(head), content]);
}

const derInteger = bytes =>
	der(DER_INTEGER, typedArrayLength(bytes) === 0 || bytes[0] >= 0x80 ? [new Uint8Array(1), bytes] : [bytes]);
const derNumber = number => der(DER_INTEGER, [bytesOfList([number])]);
const derBits = bytes => der(DER_BITS, [new Uint8Array(1), bytes]);
const derAlgorithm = (oid, parameter) => der(DER_SEQUENCE, [der(DER_OID, [oid]), parameter]);

const newReader = bytes => ({ __proto__: null, bytes, at: 0, end: typedArrayLength(bytes) });
const atEnd = reader => reader.at === reader.end;

// The content of the next element, which must have this tag.
function readDer(reader, tag) {
	const { bytes, end } = reader;
	let at = reader.at;
	if (end - at < 2 || bytes[at] !== tag) throw badKey('its structure is another one');
	let length = bytes[at + 1];
	at += 2;
	if (length >= 0x80) {
		const count = length & 0x7f;
		if (count < 1 || count > 3 || end - at < count) throw badKey('a length in it is not DER');
		length = 0;
		for (let i = 0; i < count; i++) length = length * 256 + bytes[at++];
		if (length < 0x80 || length < 256 ** (count - 1)) throw badKey('a length in it is not DER');
	}
	if (end - at < length) throw badKey('it ends too early');
	reader.at = at + length;
	return viewBytes(bytes, at, at + length);
}

const readSequence = reader => newReader(readDer(reader, DER_SEQUENCE));
const nextIs = (reader, tag) => !atEnd(reader) && reader.bytes[reader.at] === tag;

function needEnd(reader) {
	if (!atEnd(reader)) throw badKey('there is more behind its end');
}

function withoutLeadingZeros(bytes) {
	const length = typedArrayLength(bytes);
	let start = 0;
	while (start < length && bytes[start] === 0) start++;
	return viewBytes(bytes, start, length);
}

function readInteger(reader) {
	const bytes = readDer(reader, DER_INTEGER);
	if (typedArrayLength(bytes) === 0 || bytes[0] >= 0x80) throw badKey('a number in it is not positive');
	return copyOfBytes(withoutLeadingZeros(bytes));
}

function readBits(reader) {
	const bytes = readDer(reader, DER_BITS);
	if (typedArrayLength(bytes) < 1 || bytes[0] !== 0) throw badKey('its structure is another one');
	return viewBytes(bytes, 1, typedArrayLength(bytes));
}

// Reads the identifier of an algorithm, which must be this one. curve: the required parameter; null: NULL or nothing;
// undefined: nothing.
function readAlgorithm(reader, oid, curve) {
	const inner = readSequence(reader);
	if (!sameBytes(readDer(inner, DER_OID), oid)) throw badKey('it is of another algorithm');
	if (curve) {
		if (!sameBytes(readDer(inner, DER_OID), curve)) throw badKey('it is of another curve');
	} else if (curve === null && !atEnd(inner)) {
		readDer(inner, DER_NULL);
	}
	needEnd(inner);
}

// The key in a SubjectPublicKeyInfo.
function readSpki(bytes, oid, curve) {
	const outer = newReader(bytes),
		inner = readSequence(outer);
	needEnd(outer);
	readAlgorithm(inner, oid, curve);
	const key = readBits(inner);
	needEnd(inner);
	return key;
}

// The key in a PrivateKeyInfo. Attributes and a public key may follow, and are skipped.
function readPkcs8(bytes, oid, curve) {
	const outer = newReader(bytes),
		inner = readSequence(outer);
	needEnd(outer);
	const version = readDer(inner, DER_INTEGER);
	if (typedArrayLength(version) !== 1 || version[0] > 1) throw badKey('its version is unknown');
	readAlgorithm(inner, oid, curve);
	const key = readDer(inner, DER_OCTETS);
	if (nextIs(inner, DER_TAGGED)) readDer(inner, DER_TAGGED);
	if (nextIs(inner, 0x81)) readDer(inner, 0x81);
	needEnd(inner);
	return key;
}

const writeSpki = (oid, parameter, key) => der(DER_SEQUENCE, [derAlgorithm(oid, parameter), derBits(key)]);
const writePkcs8 = (oid, parameter, key) =>
	der(DER_SEQUENCE, [derNumber(0), derAlgorithm(oid, parameter), der(DER_OCTETS, [key])]);
const derNull = der(DER_NULL, []),
	derNothing = new Uint8Array(0);
