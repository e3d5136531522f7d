// SPDX-License-Identifier: Apache-2.0
const buffer = require('../node_modules/buffer/index.js');

const { Buffer } = buffer;
Object.defineProperty(Buffer, 'name', { value: 'Buffer', configurable: true });
Buffer.copyBytesFrom ??= (view, offset = 0, length = view.length - offset) => Buffer.from(Uint8Array.prototype.slice.call(
	new Uint8Array(view.buffer, view.byteOffset + offset * view.BYTES_PER_ELEMENT, length * view.BYTES_PER_ELEMENT)));
// Adds base64url, which the package lacks.
const { isEncoding, from } = Buffer, { toString } = Buffer.prototype;
const isUrl = (encoding) => typeof encoding === 'string' && encoding.toLowerCase() === 'base64url';
Buffer.isEncoding = (encoding) => isUrl(encoding) || isEncoding(encoding);
Buffer.from = function (value, encoding, length) { return from.call(Buffer, value, isUrl(encoding) ? 'base64' : encoding, length); };
Buffer.prototype.toString = function (encoding, start, end) {
	if (!isUrl(encoding))
		return toString.call(this, encoding, start, end);
	return this.subarray(start, end).toBase64({ alphabet: 'base64url', omitPadding: true });
};
const { byteLength } = Buffer;
Buffer.byteLength = (value, encoding) => byteLength(value, isUrl(encoding) ? 'base64' : encoding);
Buffer.prototype[Symbol.for('nodejs.util.inspect.custom')] = function () {
	const shown = [...this.subarray(0, 50)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
	return '<Buffer' + (shown === '' ? '' : ' ' + shown) + (this.length > 50 ? ' ... ' + (this.length - 50) + ' more byte' + (this.length > 51 ? 's' : '') : '') + '>';
};
// Characters that the target lacks become question marks.
function transcode(source, from, to) {
	const { coded, wrongType } = require('internal/errors');
	if (!ArrayBuffer.isView(source))
		wrongType('source', 'an instance of Buffer or Uint8Array', source);
	const known = (encoding) => ({ utf8: 'utf8', 'utf-8': 'utf8', ucs2: 'utf16le', 'ucs-2': 'utf16le', utf16le: 'utf16le', 'utf-16le': 'utf16le', latin1: 'latin1', binary: 'latin1', ascii: 'ascii' })[`${encoding}`.toLowerCase()] ??
		(() => { throw Object.assign(coded(Error, 'U_ILLEGAL_ARGUMENT_ERROR', 'Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]'), { errno: 1 }); })();
	const [input, output] = [known(from), known(to)], text = Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString(input);
	return Buffer.from(output === 'latin1' ? text.replace(/[^\0-\xff]/gu, '?') : output === 'ascii' ? text.replace(/[^\0-\x7f]/gu, '?') : text, output);
}
// There is no store of objects behind URLs here.
const resolveObjectURL = () => undefined;
const isUtf8 = (input) => {
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
	atob, btoa, Blob, File, transcode, resolveObjectURL, isUtf8, isAscii: (input) => new Uint8Array(input.buffer ?? input, input.byteOffset, input.byteLength).every((byte) => byte < 128),
};
