// SPDX-License-Identifier: Apache-2.0
const buffer = require('../node_modules/buffer/index.js');

const { Buffer } = buffer;
Object.defineProperty(Buffer, 'name', { value: 'Buffer', configurable: true });
// The package accepts wrong arguments that Node refuses, and lacks base64url. What follows is as in Node.
const { coded, wrongType, wrongValue, outOfRange, needs } = require('internal/errors');
const { prototype } = Buffer, { isEncoding, from: fromAny, byteLength: lengthOf, alloc: allocate, allocUnsafe: allocateUnsafe, concat: join } = Buffer, { toString, write, fill, indexOf, lastIndexOf, compare: order } = prototype;
const isBytes = (value) => value instanceof Uint8Array;
const define = (target, methods) => {
	for (const name of Object.keys(methods))
		Object.defineProperty(target, name, { value: methods[name], writable: true, configurable: true, enumerable: true });
};
const unknown = (encoding) => { throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`); };
const isUrl = (encoding) => typeof encoding === 'string' && encoding.length === 9 && encoding.toLowerCase() === 'base64url';
const MAX = buffer.kMaxLength;
const needSize = (size) => {
	if (typeof size !== 'number')
		wrongType('size', 'of type number', size);
	if (!(size >= 0 && size <= MAX))
		outOfRange('size', `>= 0 && <= ${MAX}`, size);
};
const needIndex = (value, name, least, greatest) => {
	needs.number(value, name);
	if (!Number.isInteger(value))
		outOfRange(name, 'an integer', value);
	if (value < least || value > greatest)
		outOfRange(name, `>= ${least} && <= ${greatest}`, value);
};
const hasSource = (value) => (typeof value === 'object' && value !== null) && (value.length !== undefined || value.type === 'Buffer' || value instanceof ArrayBuffer || value.valueOf?.() !== value || typeof value[Symbol.toPrimitive] === 'function' || ArrayBuffer.isView(value));
const EMPTY = 'ERR_BUFFER_OUT_OF_BOUNDS';
const from = function (value, encoding, length) {
	if (typeof value === 'string')
		return fromAny.call(Buffer, value, isUrl(encoding) ? 'base64' : encoding === '' ? undefined : encoding);
	if (!hasSource(value))
		throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object.${require('internal/errors').received(value)}`);
	if (value instanceof ArrayBuffer) {
		const offset = Number.isNaN(+encoding) ? 0 : Math.trunc(+(encoding ?? 0)), rest = value.byteLength - offset;
		if (rest < 0)
			throw coded(RangeError, EMPTY, '"offset" is outside of buffer bounds');
		if (length !== undefined && length > rest)
			throw coded(RangeError, EMPTY, '"length" is outside of buffer bounds');
	}
	if (typeof value[Symbol.toPrimitive] === 'function' && value.length === undefined) {
		const plain = value[Symbol.toPrimitive]('string');
		if (typeof plain === 'string')
			return from(plain, encoding);
	}
	return fromAny.call(Buffer, value, encoding, length);
};
// They can be called with new, as older packages do.
define(Buffer, {
	isEncoding: (encoding) => typeof encoding === 'string' && encoding !== '' && (isUrl(encoding) || isEncoding(encoding)), from, of: (...items) => from(items),
	byteLength: function byteLength(value, encoding) {
		if (typeof value !== 'string' && !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer))
			wrongType('string', 'of type string or an instance of Buffer or ArrayBuffer', value);
		if (typeof value === 'string' && typeof encoding === 'string' && /^base64(url)?$/i.test(encoding)) {
			const { length } = value, padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0;
			return length > 1 ? ((length - padding) * 3) >>> 2 : 0;
		}
		return lengthOf(value, encoding);
	},
	alloc: function alloc(size, value, encoding) {
		needSize(size);
		return value !== undefined && value !== 0 && size > 0 ? allocate(size).fill(value, typeof encoding === 'string' ? encoding : undefined) : allocate(size);
	},
	allocUnsafe: function allocUnsafe(size) {
		needSize(size);
		return allocateUnsafe(size);
	},
	allocUnsafeSlow: function allocUnsafeSlow(size) {
		needSize(size);
		return allocateUnsafe(size);
	},
	compare: function compare(a, b) {
		if (!isBytes(a))
			wrongType('buf1', 'an instance of Buffer or Uint8Array', a);
		if (!isBytes(b))
			wrongType('buf2', 'an instance of Buffer or Uint8Array', b);
		return order.call(Buffer.isBuffer(a) ? a : from(a.buffer, a.byteOffset, a.byteLength), b);
	},
	concat: function concat(list, length) {
		if (!Array.isArray(list))
			wrongType('list', 'an instance of Array', list);
		list.forEach((item, i) => isBytes(item) || wrongType(`list[${i}]`, 'an instance of Buffer or Uint8Array', item));
		if (length !== undefined)
			needIndex(length, 'length', 0, MAX);
		return join(list, length);
	},
	copyBytesFrom: function copyBytesFrom(view, offset, length) {
		if (!ArrayBuffer.isView(view) || view instanceof DataView)
			wrongType('view', 'an instance of TypedArray', view);
		if (offset !== undefined)
			needs.integer(offset, 'offset', 0);
		if (length !== undefined)
			needs.integer(length, 'length', 0);
		const end = length === undefined ? view.length : (offset ?? 0) + length, part = view.slice(Math.min(offset ?? 0, view.length), Math.min(end, view.length));
		return from(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
	},
});
delete Buffer.TYPED_ARRAY_SUPPORT;
Object.defineProperty(prototype, '_isBuffer', { enumerable: false });

// The text of a value to search or to fill with, in an encoding.
const writeAll = (target, text, offset, length, encoding) => {
	const source = from(text, encoding), count = Math.min(source.length, length);
	target.set(count === source.length ? source : source.subarray(0, count), offset);
	return count;
};
function search(target, value, offset, encoding, forward) {
	if (typeof offset === 'string')
		[encoding, offset] = [offset, undefined];
	offset = +offset;
	if (Number.isNaN(offset))
		offset = forward ? 0 : target.length;
	offset = Math.trunc(offset);
	if (typeof value === 'string' && encoding !== undefined && !Buffer.isEncoding(encoding))
		unknown(encoding);
	if (typeof value === 'number')
		value = value & 255;
	else if (typeof value === 'string')
		value = from(value, encoding);
	else if (!isBytes(value))
		wrongType('value', 'one of type number or string or an instance of Buffer or Uint8Array', value);
	const { length } = target;
	if (offset < 0)
		offset += length;
	if (value.length === 0)
		return offset < 0 ? (forward ? 0 : -1) : Math.min(offset, length);
	if (offset < 0) {
		if (!forward)
			return -1;
		offset = 0;
	}
	if (forward && offset >= length)
		return -1;
	if (typeof value === 'number')
		return forward ? Uint8Array.prototype.indexOf.call(target, value, offset) : Uint8Array.prototype.lastIndexOf.call(target, value, Math.min(offset, length - 1));
	const step = /^(ucs-?2|utf-?16le)$/i.test(encoding) ? 'utf16le' : 'latin1';
	if (length === 0 || value.length > length)
		return -1;
	const own = Buffer.isBuffer(value) ? value : from(value);
	return forward ? indexOf.call(target, own, offset, step) : lastIndexOf.call(target, own, Math.min(offset, length - own.length), step);
}
define(prototype, {
	toString(encoding, start, end) {
		if (encoding === null)
			unknown(encoding);
		if (!isUrl(encoding))
			return toString.call(this, encoding === '' ? undefined : encoding, start, end);
		return this.subarray(start, end).toBase64({ alphabet: 'base64url', omitPadding: true });
	},
	write(text, offset, length, encoding) {
		if (typeof text !== 'string')
			throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
		if (typeof offset === 'string')
			[encoding, offset, length] = [offset, 0, this.length];
		offset ??= 0;
		needIndex(offset, 'offset', 0, this.length);
		if (typeof length === 'string')
			[encoding, length] = [length, undefined];
		if (length !== undefined)
			needIndex(length, 'length', 0, this.length);
		length = Math.min(length ?? Infinity, this.length - offset);
		if (isUrl(encoding))
			return writeAll(this, text, offset, length, encoding);
		return length === 0 ? (encoding && !Buffer.isEncoding(encoding) ? unknown(encoding) : 0) : write.call(this, text, offset, length, encoding || 'utf8');
	},
	fill(value, offset, end, encoding) {
		if (typeof value === 'string' && typeof offset === 'string')
			[encoding, offset, end] = [offset, undefined, undefined];
		else if (typeof value === 'string' && typeof end === 'string')
			[encoding, end] = [end, undefined];
		if (typeof value === 'string' && encoding !== undefined && !Buffer.isEncoding(`${encoding}`))
			unknown(encoding);
		if (offset === undefined) {
			[offset, end] = [0, this.length];
		} else {
			needIndex(offset, 'offset', 0, MAX);
			if (end === undefined)
				end = this.length;
			else
				needIndex(end, 'end', 0, this.length);
			if (offset >= end)
				return this;
		}
		if (typeof value === 'number' || typeof value === 'boolean')
			return Uint8Array.prototype.fill.call(this, Number(value), offset, end);
		const source = typeof value === 'string' ? from(value === '' ? '\0' : value, value === '' ? undefined : encoding) : value;
		if (source?.length === 0)
			wrongValue('value', value);
		return source?.length === 1 ? Uint8Array.prototype.fill.call(this, source[0], offset, end) : fill.call(this, isBytes(source) && !Buffer.isBuffer(source) ? from(source) : source, offset, end);
	},
	indexOf(value, offset, encoding) { return search(this, value, offset, encoding, true); },
	lastIndexOf(value, offset, encoding) { return search(this, value, offset, encoding, false); },
	includes(value, offset, encoding) { return search(this, value, offset, encoding, true) !== -1; },
	equals(other) {
		if (!isBytes(other))
			wrongType('otherBuffer', 'an instance of Buffer or Uint8Array', other);
		return this === other || (this.length === other.length && order.call(this, other) === 0);
	},
	compare(target, targetStart, targetEnd, start, end) {
		if (!isBytes(target))
			wrongType('target', 'an instance of Buffer or Uint8Array', target);
		for (const [index, name, greatest] of [[targetStart, 'targetStart', MAX], [targetEnd, 'targetEnd', target.length], [start, 'sourceStart', MAX], [end, 'sourceEnd', this.length]])
			index !== undefined && needIndex(index, name, 0, greatest);
		const part = (bytes, first = 0, last = bytes.length) => first >= last ? [] : bytes.subarray(first, last), a = part(this, start, end), b = part(target, targetStart, targetEnd);
		return a.length === 0 || b.length === 0 ? Math.sign(a.length - b.length) : order.call(Buffer.isBuffer(a) ? a : from(a), b);
	},
	copy(target, targetStart, sourceStart, sourceEnd) {
		if (!isBytes(target))
			wrongType('target', 'an instance of Buffer or Uint8Array', target);
		const whole = (value, least) => {
			const number = Math.trunc(+value);
			return Number.isNaN(number) ? least : number;
		};
		const at = whole(targetStart ?? 0, 0), first = whole(sourceStart ?? 0, 0), last = whole(sourceEnd ?? this.length, 0);
		if (at < 0)
			outOfRange('targetStart', '>= 0', at);
		if (first < 0 || first > this.length)
			outOfRange('sourceStart', `>= 0 && <= ${this.length}`, first);
		if (last < 0)
			outOfRange('sourceEnd', '>= 0', last);
		if (at >= target.length || first >= last)
			return 0;
		const count = Math.min(last - first, this.length - first, target.length - at);
		target.set(this.subarray(first, first + count), at);
		return count;
	},
});
for (const [name, encoding] of Object.entries({ ascii: 'ascii', base64: 'base64', base64url: 'base64url', hex: 'hex', latin1: 'latin1', ucs2: 'utf16le', utf8: 'utf8' }))
	define(prototype, { [name + 'Slice'](start, end) { return this.toString(encoding, start, end); }, [name + 'Write'](text, offset, length) { return this.write(text, offset, length, encoding); } });

// ---- Numbers in a buffer ----

const floats = [new Float32Array(1), new Float64Array(1)], floatBytes = floats.map((view) => new Uint8Array(view.buffer));
function outside(value, length, name = 'offset') {
	if (Math.floor(value) !== value) {
		needs.number(value, name);
		outOfRange(name, 'an integer', value);
	}
	if (length < 0)
		throw coded(RangeError, EMPTY, 'Attempt to access memory outside buffer bounds');
	outOfRange(name, `>= ${name === 'offset' ? 0 : 1} and <= ${length}`, value);
}
function needBytes(bytes, offset, size) {
	if (typeof offset !== 'number')
		wrongType('offset', 'of type number', offset);
	if (bytes[offset] === undefined || bytes[offset + size - 1] === undefined)
		outside(offset, bytes.length - size);
}
function readWhole(bytes, offset, size, little, signed) {
	needBytes(bytes, offset, size);
	let value = 0;
	if (little) {
		for (let i = size - 1; i >= 0; i--)
			value = value * 256 + bytes[offset + i];
	} else {
		for (let i = 0; i < size; i++)
			value = value * 256 + bytes[offset + i];
	}
	return signed && value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
}
function readBig(bytes, offset, little, signed) {
	needBytes(bytes, offset, 8);
	const value = new DataView(bytes.buffer, bytes.byteOffset + offset, 8);
	return signed ? value.getBigInt64(0, little) : value.getBigUint64(0, little);
}
function needRange(value, size, signed) {
	const big = typeof value === 'bigint' || size === 8, n = big ? 'n' : '', one = big ? 1n : 1, bits = big ? BigInt(8 * size) : 8 * size, two = big ? 2n : 2;
	const least = signed ? -(two ** (bits - one)) : big ? 0n : 0, most = two ** (signed ? bits - one : bits) - one;
	if (!(value > most || value < least))
		return;
	const power = `2${n} ** ${signed ? 8 * size - 1 : 8 * size}${n}`;
	outOfRange('value', size > 4 ? signed ? `>= -(${power}) and < ${power}` : `>= 0${n} and < ${power}` : `>= ${least} and <= ${most}`, value);
}
function writeWhole(bytes, value, offset, size, little, signed) {
	value = +value;
	if (typeof offset !== 'number')
		wrongType('offset', 'of type number', offset);
	needRange(value, size, signed);
	needBytes(bytes, offset, size);
	let rest = Math.trunc(value) || 0;
	if (rest < 0)
		rest += 2 ** (8 * size);
	for (let i = 0; i < size; i++) {
		bytes[offset + (little ? i : size - 1 - i)] = rest % 256;
		rest = Math.floor(rest / 256);
	}
	return offset + size;
}
function writeBig(bytes, value, offset, little, signed) {
	needRange(value, 8, signed);
	needBytes(bytes, offset, 8);
	if (typeof value !== 'bigint')
		throw new TypeError('Cannot mix BigInt and other types, use explicit conversions');
	const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 8);
	view.setBigUint64(0, BigInt.asUintN(64, value), little);
	return offset + 8;
}
function float(bytes, offset, which, little, value) {
	const view = floats[which], raw = floatBytes[which], size = raw.length;
	if (value !== undefined)
		view[0] = value;
	needBytes(bytes, offset, size);
	for (let i = 0; i < size; i++) {
		const at = offset + (little ? i : size - 1 - i);
		if (value === undefined)
			raw[i] = bytes[at];
		else
			bytes[at] = raw[i];
	}
	return value === undefined ? view[0] : offset + size;
}
const sizeOf = (length) => length >= 1 && length <= 6 && Number.isInteger(length) ? length : length === undefined ? wrongType('byteLength', 'of type number', length) : outside(length, 6, 'byteLength');
const needOffset = (offset) => offset === undefined && wrongType('offset', 'of type number', offset);
for (const [end, little] of [['LE', true], ['BE', false]]) {
	for (const [kind, signed] of [['Int', true], ['UInt', false]]) {
		const methods = {};
		for (const size of [1, 2, 4]) {
			const name = kind + 8 * size + (size === 1 ? '' : end);
			methods['read' + name] = function (offset = 0) { return readWhole(this, offset, size, little, signed); };
			methods['write' + name] = function (value, offset = 0) { return writeWhole(this, value, offset, size, little, signed); };
		}
		methods[`read${kind}${end}`] = function (offset, length) {
			needOffset(offset);
			return readWhole(this, offset, sizeOf(length), little, signed);
		};
		methods[`write${kind}${end}`] = function (value, offset, length) { return writeWhole(this, value, offset, sizeOf(length), little, signed); };
		methods[`readBig${kind}64${end}`] = function (offset = 0) { return readBig(this, offset, little, signed); };
		methods[`writeBig${kind}64${end}`] = function (value, offset = 0) { return writeBig(this, value, offset, little, signed); };
		define(prototype, methods);
	}
	const methods = {};
	['Float', 'Double'].forEach((kind, which) => {
		methods[`read${kind}${end}`] = function (offset = 0) { return float(this, offset, which, little); };
		methods[`write${kind}${end}`] = function (value, offset = 0) { return float(this, offset, which, little, +value); };
	});
	define(prototype, methods);
}
// The fast ones: a byte, and two or four bytes without a sign.
const { readUInt8 } = prototype;
define(prototype, {
	readUInt8(offset = 0) {
		const value = this[offset];
		return value !== undefined && typeof offset === 'number' ? value : readUInt8.call(this, offset);
	},
	readUInt16LE(offset = 0) {
		needBytes(this, offset, 2);
		return this[offset] | this[offset + 1] << 8;
	},
	readUInt16BE(offset = 0) {
		needBytes(this, offset, 2);
		return this[offset] << 8 | this[offset + 1];
	},
	readUInt32LE(offset = 0) {
		needBytes(this, offset, 4);
		return (this[offset] | this[offset + 1] << 8 | this[offset + 2] << 16 | this[offset + 3] << 24) >>> 0;
	},
	readUInt32BE(offset = 0) {
		needBytes(this, offset, 4);
		return (this[offset] << 24 | this[offset + 1] << 16 | this[offset + 2] << 8 | this[offset + 3]) >>> 0;
	},
});
for (const name of Object.keys(prototype).filter((key) => /^(read|write).*UInt/.test(key)))
	define(prototype, { [name.replace('UInt', 'Uint')]: prototype[name] });

prototype[Symbol.for('nodejs.util.inspect.custom')] = function (depth, options) {
	const shown = [...this.subarray(0, 50)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
	const more = this.length > 50 ? ` ... ${this.length - 50} more byte${this.length > 51 ? 's' : ''}` : '';
	const own = Object.keys(this).filter((key) => !/^\d+$/.test(key)), extra = own.length > 0 ? binding.inspect(Object.fromEntries(own.map((key) => [key, this[key]])), { ...options, breakLength: Infinity, compact: true }).slice(2, -2) : '';
	return `<${this.constructor?.name ?? 'Buffer'} ${shown}${more}${extra === '' ? '' : (shown === '' ? '' : ', ') + extra}>`;
};
define(prototype, { inspect: prototype[Symbol.for('nodejs.util.inspect.custom')] });
// Characters that the target lacks become question marks.
function transcode(source, from, to) {
	if (!ArrayBuffer.isView(source))
		wrongType('source', 'an instance of Buffer or Uint8Array', source);
	const known = (encoding) => ({ utf8: 'utf8', 'utf-8': 'utf8', ucs2: 'utf16le', 'ucs-2': 'utf16le', utf16le: 'utf16le', 'utf-16le': 'utf16le', latin1: 'latin1', binary: 'latin1', ascii: 'ascii' })[`${encoding}`.toLowerCase()] ??
		(() => { throw Object.assign(coded(Error, 'U_ILLEGAL_ARGUMENT_ERROR', 'Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]'), { errno: 1 }); })();
	const [input, output] = [known(from), known(to)], text = Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString(input);
	return Buffer.from(output === 'latin1' ? text.replace(/[^\0-\xff]/gu, '?') : output === 'ascii' ? text.replace(/[^\0-\x7f]/gu, '?') : text, output);
}
// There is no store of objects behind URLs here.
const resolveObjectURL = () => undefined;
const needInput = (input) => ArrayBuffer.isView(input) || input instanceof ArrayBuffer || wrongType('input', 'an instance of ArrayBuffer, Buffer, or TypedArray', input);
const isUtf8 = (input) => {
	needInput(input);
	try {
		new TextDecoder('utf-8', { fatal: true }).decode(input);
		return true;
	} catch {
		return false;
	}
};
module.exports = {
	Buffer, SlowBuffer: buffer.SlowBuffer, INSPECT_MAX_BYTES: 50, kMaxLength: buffer.kMaxLength, kStringMaxLength: 0x3fffffff,
	constants: { MAX_LENGTH: buffer.kMaxLength, MAX_STRING_LENGTH: 0x3fffffff },
	atob, btoa, Blob, File, transcode, resolveObjectURL, isUtf8, isAscii: (input) => needInput(input) && new Uint8Array(input.buffer ?? input, input.byteOffset, input.byteLength).every((byte) => byte < 128),
};
