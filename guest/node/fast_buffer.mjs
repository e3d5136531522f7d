// SPDX-License-Identifier: Apache-2.0
// Functions of the package buffer, by their names, with faster bodies: the package works byte by byte in JavaScript,
// these use the engine and the platform.
export const fastBuffer = {
	fromString: `
	if (typeof encoding !== 'string' || encoding === '' || /^utf-?8$/i.test(encoding))
		return Object.setPrototypeOf(encoder.encode(string), Buffer.prototype);
	return fromString$slow(string, encoding);`,
	utf8Slice: 'return utf8.decode(partOf(buf, start, Math.min(buf.length, end)));',
	utf8Write: 'return encoder.encodeInto(string, partOf(buf, offset, Math.min(buf.length, offset + length))).written;',
	utf8ToBytes: 'return encoder.encode(string);',
	latin1Slice: `
	let text = '';
	const last = Math.min(buf.length, end);
	for (let at = start; at < last; at += 4096)
		text += String.fromCharCode.apply(null, partOf(buf, at, Math.min(at + 4096, last)));
	return text;`,
	asciiToBytes: `
	const bytes = new Uint8Array(str.length);
	for (let i = 0; i < bytes.length; i++)
		bytes[i] = str.charCodeAt(i);
	return bytes;`,
	hexSlice: 'return partOf(buf, Math.max(start || 0, 0), !end || end < 0 || end > buf.length ? buf.length : end).toHex();',
	hexWrite: `
	const room = buf.length - (Number(offset) || 0), most = length ? Math.min(Number(length), room) : room;
	if (string.length % 2 === 0 && string.length / 2 <= most && /^[\\da-f]*$/i.test(string)) {
		buf.set(Uint8Array.fromHex(string), Number(offset) || 0);
		return string.length / 2;
	}
	return hexWrite$slow(buf, string, offset, length);`,
	base64Slice: 'return partOf(buf, start, end).toBase64();',
	base64ToBytes: `
	try {
		return Uint8Array.fromBase64(str);
	} catch {
		return base64ToBytes$slow(str); // the text has other characters than base64
	}`,
	blitBuffer: `
	const count = Math.max(Math.min(length, src.length, dst.length - offset), 0);
	if (!ArrayBuffer.isView(src))
		return blitBuffer$slow(src, dst, offset, length);
	dst.set(count === src.length ? src : src.subarray(0, count), offset);
	return count;`,
};

// What modules/buffer.js replaces: [from this text, to before that].
const replaced = [
	["const ieee754 = require('ieee754')", 'const customInspectSymbol'],
	['function checkOffset (', '// copy(targetBuffer'],
	['// CUSTOM ERRORS', 'const INVALID_BASE64_RE'],
	['function defineBigIntMethod', undefined],
];

function without(text, first, next) {
	const start = text.indexOf(first), end = next === undefined ? text.length : text.indexOf(next, start);
	if (start < 0 || end < start)
		throw new Error('buffer is not the one that is known: ' + first);
	return text.slice(0, start) + text.slice(end);
}

export function withFastBuffer(text) {
	for (const [first, next] of replaced)
		text = without(text, first, next);
	for (const [name, body] of Object.entries(fastBuffer)) {
		const head = new RegExp('^function ' + name + ' \\(([^)]*)\\) \\{$', 'm');
		const found = head.exec(text);
		if (!found)
			throw new Error('buffer is not the one that is known: ' + name);
		const isKept = body.includes(name + '$slow');
		const end = text.indexOf('\n}\n', found.index) + 3, before = text.slice(found.index, end);
		text = text.slice(0, found.index) + `function ${name} (${found[1]}) {${body}\n}\n` + (isKept ? before.replace(name, () => name + '$slow') : '') + text.slice(end);
	}
	return text + `
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true }), encoder = new TextEncoder();
const partOf = (buf, start, end) => new Uint8Array(buf.buffer, buf.byteOffset + start, Math.max(end - start, 0));
`;
}
