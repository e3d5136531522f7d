// SPDX-License-Identifier: Apache-2.0
// Decodes text piece by piece. The bytes of a character that is not complete wait for the next piece.
const { Buffer } = require('buffer');
const { coded, wrongType } = require('internal/errors');

const canonical = { utf8: 'utf8', 'utf-8': 'utf8', ucs2: 'utf16le', 'ucs-2': 'utf16le', utf16le: 'utf16le', 'utf-16le': 'utf16le', latin1: 'latin1', binary: 'latin1', base64: 'base64', base64url: 'base64url', ascii: 'ascii', hex: 'hex' };

// How many bytes at the end begin a UTF-8 character that may still become complete, and its length.
function openUtf8(bytes) {
	const { length } = bytes;
	for (let back = 1; back <= 3 && back <= length; back++) {
		const byte = bytes[length - back];
		if ((byte & 0xc0) === 0x80)
			continue;
		const total = byte >= 0xc2 && byte < 0xe0 ? 2 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xf0 && byte < 0xf5 ? 4 : 1, second = bytes[length - back + 1];
		const isBad = back > 1 && ((byte === 0xe0 && second < 0xa0) || (byte === 0xed && second > 0x9f) || (byte === 0xf0 && second < 0x90) || (byte === 0xf4 && second > 0x8f));
		return total > back && !isBad ? [back, total] : [0, 0];
	}
	return [0, 0];
}
const open = {
	utf8: openUtf8,
	utf16le(bytes) {
		const odd = bytes.length % 2, last = bytes[bytes.length - 1 - odd];
		return bytes.length - odd >= 2 && last >= 0xd8 && last <= 0xdb ? [2 + odd, 4] : odd ? [1, 2] : [0, 0];
	},
	base64: (bytes) => bytes.length % 3 === 0 ? [0, 0] : [bytes.length % 3, 3],
};
open.base64url = open.base64;

function StringDecoder(encoding) {
	this.encoding = canonical[`${encoding || 'utf8'}`.toLowerCase()];
	if (this.encoding === undefined)
		throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
	Object.assign(this, { lastNeed: 0, lastTotal: 0, lastChar: Buffer.alloc(4) });
}
Object.assign(StringDecoder.prototype, {
	write(bytes) {
		if (typeof bytes === 'string')
			return bytes;
		if (!ArrayBuffer.isView(bytes))
			wrongType('buf', 'an instance of Buffer, TypedArray, or DataView', bytes);
		let all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		const held = this.lastTotal - this.lastNeed;
		if (held > 0)
			all = Buffer.concat([this.lastChar.subarray(0, held), all]);
		const [rest, total] = open[this.encoding]?.(all) ?? [0, 0];
		this.lastChar.set(all.subarray(all.length - rest));
		this.lastTotal = total;
		this.lastNeed = total - rest;
		return all.toString(this.encoding, 0, all.length - rest);
	},
	end(bytes) {
		const text = bytes === undefined ? '' : this.write(bytes), held = this.lastTotal - this.lastNeed;
		this.lastNeed = this.lastTotal = 0;
		return held > 0 ? text + this.lastChar.toString(this.encoding, 0, held) : text;
	},
	text(bytes, offset) {
		this.lastNeed = this.lastTotal = 0;
		return this.write(bytes.subarray(offset));
	},
});
module.exports = { StringDecoder };
