// SPDX-License-Identifier: Apache-2.0
// The format of V8's serializer, version 15, as node:v8 writes it.
const { Buffer } = require('buffer');
const { coded } = require('internal/errors');
const { classOf } = binding;

const nameOf = (value) => typeof value === 'symbol' || typeof value === 'function' ? String(value) : `#<${value.constructor?.name ?? 'Object'}>`;
const uncloneable = (value) => { throw new Error(`${nameOf(value)} could not be cloned.`); };
const unreadable = () => { throw new Error('Unable to deserialize cloned data.'); };
const VERSION = 15;
// The views of the format, by their letters; Node's own numbers of them follow the same order.
const views = { b: 'Int8Array', B: 'Uint8Array', C: 'Uint8ClampedArray', w: 'Int16Array', W: 'Uint16Array', d: 'Int32Array', D: 'Uint32Array', f: 'Float32Array', F: 'Float64Array', '?': 'DataView',
	q: 'BigInt64Array', Q: 'BigUint64Array' };
const hosted = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'DataView', 'Buffer', 'BigInt64Array', 'BigUint64Array'];
const errors = { EvalError: 'E', RangeError: 'R', ReferenceError: 'F', SyntaxError: 'S', TypeError: 'T', URIError: 'U' };
const kinds = Object.fromEntries(Object.entries(errors).map(([name, letter]) => [letter, name]));

class Serializer {
	#bytes = Buffer.alloc(256);
	#length = 0;
	#seen = new Map();
	#hostViews = false;
	#room(count) {
		if (this.#length + count > this.#bytes.length) {
			const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#length + count));
			larger.set(this.#bytes.subarray(0, this.#length));
			this.#bytes = larger;
		}
		const at = this.#length;
		this.#length += count;
		return at;
	}
	#put(byte) {
		const at = this.#room(1);
		this.#bytes[at] = byte;
	}
	#tag(letter) { this.#put(letter.charCodeAt(0)); }
	#varint(value) {
		for (let rest = BigInt(value); ; rest >>= 7n) {
			const isLast = rest < 128n;
			this.#put(Number(rest & 127n) | (isLast ? 0 : 128));
			if (isLast)
				return;
		}
	}
	#text(text) {
		if (/^[\0-\xff]*$/.test(text)) {
			this.#tag('"');
			this.#varint(text.length);
			this.writeRawBytes(Buffer.from(text, 'latin1'));
			return;
		}
		// Two-byte text begins at an even offset.
		let bytes = 2 * text.length, width = 1;
		for (let rest = bytes; rest >= 128; rest >>>= 7)
			width++;
		if ((this.#length + 1 + width) & 1)
			this.#tag('\0');
		this.#tag('c');
		this.#varint(bytes);
		this.writeRawBytes(Buffer.from(text, 'utf16le'));
	}
	#bigint(value) {
		const isNegative = value < 0n;
		let hex = (isNegative ? -value : value).toString(16);
		hex = value === 0n ? '' : hex.padStart(Math.ceil(hex.length / 16) * 16, '0');
		this.#varint((hex.length / 2) << 1 | (isNegative ? 1 : 0));
		this.writeRawBytes(Buffer.from(hex, 'hex').reverse());
	}
	#properties(value, keys) {
		let count = 0;
		for (const key of keys) {
			if (!Object.hasOwn(value, key))
				continue;
			const index = /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1;
			this.writeValue(index ? Number(key) : key);
			this.writeValue(value[key]);
			count++;
		}
		return count;
	}
	writeHeader() {
		this.#put(0xff);
		this.#put(VERSION);
	}
	writeValue(value) {
		if (typeof value !== 'object' && typeof value !== 'function') {
			this.#primitive(value);
			return true;
		}
		if (value === null) {
			this.#tag('0');
			return true;
		}
		const known = this.#seen.get(value);
		if (known !== undefined) {
			this.#tag('^');
			this.#varint(known);
			return true;
		}
		// A view stands behind its buffer.
		if (ArrayBuffer.isView(value) && !this.#hostViews) {
			if (!this.#seen.has(value.buffer))
				this.writeValue(value.buffer);
			this.#seen.set(value, this.#seen.size);
			const name = classOf(value) === 'DataView' ? 'DataView' : value[Symbol.toStringTag];
			this.#tag('V');
			this.#tag(Object.keys(views).find((letter) => views[letter] === name) ?? uncloneable(value));
			[value.byteOffset, value.byteLength, 0].forEach((number) => this.#varint(number));
			return true;
		}
		this.#seen.set(value, this.#seen.size);
		if (typeof value === 'function')
			uncloneable(value);
		this.#object(value);
		return true;
	}
	#primitive(value) {
		switch (typeof value) {
		case 'undefined': return this.#tag('_');
		case 'boolean': return this.#tag(value ? 'T' : 'F');
		case 'string': return this.#text(value);
		case 'number':
			if (value === (value | 0) && !Object.is(value, -0)) {
				this.#tag('I');
				return this.#varint(((value << 1) ^ (value >> 31)) >>> 0);
			}
			this.#tag('N');
			return this.writeDouble(value);
		case 'bigint':
			this.#tag('Z');
			return this.#bigint(value);
		default:
			return uncloneable(value);
		}
	}
	#object(value) {
		const kind = classOf(value);
		if (Array.isArray(value)) {
			const { length } = value, keys = Object.keys(value);
			const isDense = keys.length >= length && keys.slice(0, length).every((key, i) => key === String(i));
			this.#tag(isDense ? 'A' : 'a');
			this.#varint(length);
			if (isDense) {
				for (let i = 0; i < length; i++)
					Object.hasOwn(value, i) ? this.writeValue(value[i]) : this.#tag('-');
			}
			const count = this.#properties(value, isDense ? keys.slice(length) : keys);
			this.#tag(isDense ? '$' : '@');
			[count, length].forEach((number) => this.#varint(number));
		} else if (kind === 'Date') {
			this.#tag('D');
			this.writeDouble(value.getTime());
		} else if (kind === 'RegExp') {
			this.#tag('R');
			this.#text(value.source);
			const { flags } = value;
			this.#varint([...'gimyus', '', 'd', 'v'].reduce((all, flag, bit) => all | (flag !== '' && flags.includes(flag) ? 1 << bit : 0), 0));
		} else if (kind === 'Map') {
			const items = [...value].flat(1);
			this.#tag(';');
			[...value].forEach((pair) => pair.forEach((item) => this.writeValue(item)));
			this.#tag(':');
			this.#varint(items.length);
		} else if (kind === 'Set') {
			const items = [...value];
			this.#tag('\'');
			items.forEach((item) => this.writeValue(item));
			this.#tag(',');
			this.#varint(items.length);
		} else if (kind === 'ArrayBuffer') {
			this.#tag('B');
			this.#varint(value.byteLength);
			this.writeRawBytes(new Uint8Array(value));
		} else if (['Number', 'String', 'Boolean', 'BigInt'].includes(kind)) {
			this.#box(kind, value.valueOf());
		} else if (kind === 'Error') {
			this.#error(value);
		} else if (ArrayBuffer.isView(value)) {
			this.#tag('\\');
			(this._writeHostObject ?? (() => uncloneable(value))).call(this, value);
		} else if (kind === 'Object' || kind === 'Arguments') {
			this.#tag('o');
			const count = this.#properties(value, Object.keys(value));
			this.#tag('{');
			this.#varint(count);
		} else {
			uncloneable(value);
		}
	}
	#box(kind, value) {
		if (kind === 'Boolean')
			return this.#tag(value ? 'y' : 'x');
		this.#tag({ Number: 'n', BigInt: 'z', String: 's' }[kind]);
		return kind === 'Number' ? this.writeDouble(value) : kind === 'BigInt' ? this.#bigint(value) : this.#text(value);
	}
	#error(value) {
		this.#tag('r');
		const letter = errors[value.name];
		if (letter)
			this.#tag(letter);
		if (Object.hasOwn(value, 'message')) {
			this.#tag('m');
			this.#text(String(value.message));
		}
		if (Object.hasOwn(value, 'cause')) {
			this.#tag('c');
			this.writeValue(value.cause);
		}
		if (typeof value.stack === 'string') {
			this.#tag('s');
			this.#text(value.stack);
		}
		this.#tag('.');
	}
	releaseBuffer() {
		const made = Buffer.from(this.#bytes.subarray(0, this.#length));
		this.#bytes = Buffer.alloc(256);
		this.#length = 0;
		return made;
	}
	transferArrayBuffer() { throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'v8.Serializer.transferArrayBuffer is not here: a program has one thread'); }
	writeUint32(value) { this.#varint(value >>> 0); }
	writeUint64(high, low) { this.#varint((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)); }
	writeDouble(value) {
		const at = this.#room(8);
		this.#bytes.writeDoubleLE(value, at);
	}
	writeRawBytes(data) {
		if (!ArrayBuffer.isView(data))
			throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'source must be a TypedArray or a DataView');
		const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
		const at = this.#room(bytes.length);
		this.#bytes.set(bytes, at);
	}
	_setTreatArrayBufferViewsAsHostObjects(treat) { this.#hostViews = Boolean(treat); }
}
Serializer.prototype._getDataCloneError = Error;

class Deserializer {
	#at = 0;
	#version = 0;
	#objects = [];
	constructor(bytes) {
		if (!ArrayBuffer.isView(bytes))
			throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'buffer must be a TypedArray or a DataView');
		this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}
	#byte() { return this.#at < this.buffer.length ? this.buffer[this.#at++] : unreadable(); }
	#letter() {
		let letter;
		do
			letter = String.fromCharCode(this.#byte());
		while (letter === '\0');
		return letter;
	}
	#peek() {
		while (this.buffer[this.#at] === 0)
			this.#at++;
		return String.fromCharCode(this.buffer[this.#at]);
	}
	#varint() {
		let value = 0n, shift = 0n, byte;
		do {
			byte = this.#byte();
			value |= BigInt(byte & 127) << shift;
			shift += 7n;
		} while (byte >= 128 && shift < 70n);
		return value;
	}
	#number() { return Number(this.#varint() & 0xffffffffn); }
	#take(length) {
		if (this.#at + length > this.buffer.length)
			unreadable();
		this.#at += length;
		return this.buffer.subarray(this.#at - length, this.#at);
	}
	#text() {
		const letter = this.#letter(), length = this.#number();
		const encoding = { '"': 'latin1', c: 'utf16le', S: 'utf8' }[letter] ?? unreadable();
		return this.#take(length).toString(encoding);
	}
	#bigint() {
		const field = this.#number(), bytes = Buffer.from(this.#take(field >>> 1)).reverse();
		const value = bytes.length === 0 ? 0n : BigInt('0x' + bytes.toString('hex'));
		return field & 1 ? -value : value;
	}
	#keep(value) {
		this.#objects.push(value);
		return value;
	}
	#properties(value, end) {
		while (this.#peek() !== end) {
			const key = this.#value();
			Object.defineProperty(value, key, { value: this.#value(), writable: true, enumerable: true, configurable: true });
		}
		this.#letter();
		return this.#number();
	}
	#items(end, take) {
		while (this.#peek() !== end)
			take(this.#value());
		this.#letter();
		this.#number();
	}
	readHeader() {
		if (this.#byte() !== 0xff || (this.#version = this.#number()) > VERSION)
			throw new Error('Unable to deserialize cloned data due to invalid or unsupported version.');
		return true;
	}
	readValue() { return this.#value(); }
	#value() {
		const value = this.#one();
		// A view stands behind its buffer.
		if (value instanceof ArrayBuffer && this.#at < this.buffer.length && this.#peek() === 'V') {
			this.#letter();
			return this.#view(value);
		}
		return value;
	}
	#view(buffer) {
		const name = views[this.#letter()] ?? unreadable(), offset = this.#number(), length = this.#number();
		if (this.#version >= 14)
			this.#number();
		const Kind = globalThis[name];
		return this.#keep(new Kind(buffer, offset, length / (Kind.BYTES_PER_ELEMENT ?? 1)));
	}
	#one() {
		const letter = this.#letter();
		switch (letter) {
		case '_': return undefined;
		case '-': return undefined;
		case '0': return null;
		case 'T': return true;
		case 'F': return false;
		case 'I': {
			const value = this.#number();
			return (value >>> 1) ^ -(value & 1);
		}
		case 'U': return this.#number();
		case 'N': return this.readDouble();
		case 'Z': return this.#bigint();
		case '"': case 'c': case 'S':
			this.#at--;
			return this.#text();
		case '^': {
			const id = this.#number();
			return id < this.#objects.length ? this.#objects[id] : unreadable();
		}
		case 'D': return this.#keep(new Date(this.readDouble()));
		case 'y': return this.#keep(new Boolean(true));
		case 'x': return this.#keep(new Boolean(false));
		case 'n': return this.#keep(new Number(this.readDouble()));
		case 'z': return this.#keep(Object(this.#bigint()));
		case 's': return this.#keep(new String(this.#text()));
		case 'R': {
			const source = this.#text(), bits = this.#number();
			return this.#keep(new RegExp(source, [...'gimyus', '', 'd', 'v'].filter((flag, bit) => flag !== '' && bits & (1 << bit)).join('')));
		}
		case 'o': {
			const object = this.#keep({});
			this.#properties(object, '{');
			return object;
		}
		case ';': {
			const map = this.#keep(new Map()), items = [];
			this.#items(':', (item) => items.push(item) % 2 === 0 && map.set(items.at(-2), items.at(-1)));
			return map;
		}
		case '\'': {
			const set = this.#keep(new Set());
			this.#items(',', (item) => set.add(item));
			return set;
		}
		case 'A': case 'a': return this.#array(letter === 'A');
		case 'B': {
			const bytes = this.#take(this.#number());
			return this.#keep(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
		}
		case 'r': return this.#error();
		case '\\': {
			const id = this.#objects.push(undefined) - 1;
			return this.#objects[id] = (this._readHostObject ?? unreadable).call(this);
		}
		default: return unreadable();
		}
	}
	#array(isDense) {
		const length = this.#number();
		if (isDense && length > this.buffer.length - this.#at)
			unreadable();
		const array = this.#keep(new Array(length));
		for (let i = 0; isDense && i < length; i++) {
			if (this.#peek() === '-')
				this.#letter();
			else
				array[i] = this.#value();
		}
		this.#properties(array, isDense ? '$' : '@');
		this.#number();
		return array;
	}
	#error() {
		const id = this.#objects.push(undefined) - 1, options = {};
		let Kind = Error, message, stack;
		for (;;) {
			const letter = this.#letter();
			if (letter === '.')
				break;
			if (letter === 'm')
				message = this.#text();
			else if (letter === 's')
				stack = this.#text();
			else if (letter === 'c')
				options.cause = this.#value();
			else
				Kind = globalThis[kinds[letter] ?? unreadable()];
		}
		const error = this.#objects[id] = new Kind(message, options);
		Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
		return error;
	}
	getWireFormatVersion() { return this.#version; }
	transferArrayBuffer() { throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'v8.Deserializer.transferArrayBuffer is not here: a program has one thread'); }
	readUint32() { return this.#number(); }
	readUint64() {
		const value = this.#varint();
		return [Number(value >> 32n & 0xffffffffn), Number(value & 0xffffffffn)];
	}
	readDouble() { return this.#take(8).readDoubleLE(0); }
	readRawBytes(length) { return this.#take(length); }
	_readRawBytes(length) {
		this.#take(length);
		return this.#at - length;
	}
}

class DefaultSerializer extends Serializer {
	constructor() {
		super();
		this._setTreatArrayBufferViewsAsHostObjects(true);
	}
	_writeHostObject(view) {
		const name = Buffer.isBuffer(view) ? 'Buffer' : classOf(view) === 'DataView' ? 'DataView' : view[Symbol.toStringTag], kind = hosted.indexOf(name);
		if (kind < 0)
			uncloneable(view);
		this.writeUint32(kind);
		this.writeUint32(view.byteLength);
		this.writeRawBytes(view);
	}
}
class DefaultDeserializer extends Deserializer {
	_readHostObject() {
		const name = hosted[this.readUint32()] ?? unreadable(), length = this.readUint32(), bytes = Buffer.from(this.readRawBytes(length));
		if (name === 'Buffer')
			return bytes;
		const Kind = globalThis[name], size = Kind.BYTES_PER_ELEMENT ?? 1;
		return new Kind(Uint8Array.prototype.slice.call(bytes).buffer, 0, length / size);
	}
}
function serialize(value) {
	const serializer = new DefaultSerializer();
	serializer.writeHeader();
	serializer.writeValue(value);
	return serializer.releaseBuffer();
}
function deserialize(bytes) {
	const deserializer = new DefaultDeserializer(bytes);
	deserializer.readHeader();
	return deserializer.readValue();
}
module.exports = { Serializer, Deserializer, DefaultSerializer, DefaultDeserializer, serialize, deserialize };
