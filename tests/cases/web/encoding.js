// SPDX-License-Identifier: Apache-2.0
// TextEncoder, TextDecoder, atob and btoa.
// outcome: ok
function same(actual, expected, what) {
	if (JSON.stringify(actual) !== JSON.stringify(expected))
		throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}
function throws(action, name, what) {
	try {
		action();
	} catch (error) {
		same(error.name, name, what);
		return;
	}
	throw new Error(`${what}: nothing thrown`);
}
const bytes = (...list) => new Uint8Array(list);
const encoder = new TextEncoder();
same(encoder.encoding, 'utf-8', 'encoding');
same([...encoder.encode('aé€😀')], [0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80], 'encode');
same([...encoder.encode('\ud800x\udc00')], [0xef, 0xbf, 0xbd, 0x78, 0xef, 0xbf, 0xbd], 'lone surrogates');
same([...encoder.encode('íퟰ')], [0xc3, 0xad, 0xed, 0x9f, 0xb0], 'the byte ED that is no surrogate');
same([encoder.encode().length, encoder.encode(undefined).length, encoder.encode(null).length], [0, 0, 4], 'no text');
const room = new Uint8Array(6);
same(encoder.encodeInto('a€😀', room), { read: 2, written: 4 }, 'encodeInto');
same([...room], [0x61, 0xe2, 0x82, 0xac, 0, 0], 'whole characters only');
same(encoder.encodeInto('😀', room.subarray(2)), { read: 2, written: 4 }, 'encodeInto a part');
same(encoder.encodeInto('abc', new Uint8Array(0)), { read: 0, written: 0 }, 'no room');
throws(() => encoder.encodeInto('a', [1]), 'TypeError', 'encodeInto needs bytes');
throws(() => encoder.encodeInto('a', new Uint16Array(1)), 'TypeError', 'encodeInto needs bytes, not words');
throws(() => TextEncoder(), 'TypeError', 'new');
throws(() => TextEncoder.prototype.encode.call({}, 'a'), 'TypeError', 'brand');

const utf8 = (list, options) => new TextDecoder('utf8', options).decode(new Uint8Array(list));
same(utf8([0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80]), 'aé€😀', 'decode');
// The maximal subpart of an ill-formed sequence becomes one U+FFFD.
for (const [list, expected] of [
	[[0xff], '\ufffd'], [[0xc0, 0x80], '\ufffd\ufffd'], [[0xe2, 0x82], '\ufffd'], [[0xe2, 0x82, 0x41], '\ufffdA'],
	[[0xf0, 0x9f, 0x98, 0x41], '\ufffdA'], [[0xed, 0xa0, 0x80], '\ufffd\ufffd\ufffd'], [[0xf4, 0x90, 0x80, 0x80],
		'\ufffd\ufffd\ufffd\ufffd'],
	[[0xe0, 0x80, 0x80], '\ufffd\ufffd\ufffd'], [[0x80, 0x41], '\ufffdA'], [[0xf0], '\ufffd'], [[0xe2, 0xe2, 0x82, 0xac],
		'\ufffd€'],
	[[0xf8, 0x80], '\ufffd\ufffd'],
]) {
	same(utf8(list), expected, `decode ${list}`);
	throws(() => utf8(list, { fatal: true }), 'TypeError', `fatal ${list}`);
}
same(utf8([0xef, 0xbb, 0xbf, 0x61]), 'a', 'byte order mark');
same(utf8([0xef, 0xbb, 0xbf, 0x61], { ignoreBOM: true }), '\ufeffa', 'byte order mark kept');
same(utf8([0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf]), '\ufeff', 'only the first one goes');
same(utf8([]), '', 'nothing');

const text = 'aé€😀z\ufeff';
const all = encoder.encode('\ufeff' + text);
for (let size = 1; size < 6; size++) {
	const decoder = new TextDecoder();
	let result = '';
	for (let i = 0; i < all.length; i += size)
		result += decoder.decode(all.subarray(i, i + size), { stream: true });
	same(result + decoder.decode(), text, `in chunks of ${size}`);
	same(decoder.decode(all), text, 'used again');
}
const cut = new TextDecoder();
same(cut.decode(bytes(0xe2, 0x82), { stream: true }), '', 'waits');
same(cut.decode(), '\ufffd', 'the end of the stream');
const fatal = new TextDecoder('utf-8', { fatal: true });
fatal.decode(bytes(0xe2, 0x82), { stream: true });
throws(() => fatal.decode(), 'TypeError', 'the end of a fatal stream');
same(fatal.decode(bytes(0x61)), 'a', 'usable after an error');

for (const [label, encoding, list, expected] of [
	['utf-16', 'utf-16le', [0x3d, 0xd8, 0x00, 0xde, 0x41, 0], '😀A'],
	['UTF-16BE', 'utf-16be', [0xd8, 0x3d, 0xde, 0x00, 0, 0x41], '😀A'],
	['utf-16le', 'utf-16le', [0xff, 0xfe, 0x41, 0], 'A'],
	['utf-16le', 'utf-16le', [0, 0xd8, 0x41, 0], '\ufffdA'],
	['utf-16le', 'utf-16le', [0x41, 0, 0x41], 'A\ufffd'],
	['utf-16le', 'utf-16le', [0, 0xdc, 0x41, 0], '\ufffdA'],
	['utf-16le', 'utf-16le', [0, 0xd8], '\ufffd'],
	['latin1', 'windows-1252', [0x41, 0x80, 0xe9, 0xff, 0x81], 'A€éÿ\x81'],
	[' \tISO-8859-1\n', 'windows-1252', [0x93], '“'],
	['ascii', 'windows-1252', [0x61], 'a'],
]) {
	const decoder = new TextDecoder(label);
	same(decoder.encoding, encoding, `label ${label}`);
	same(decoder.decode(new Uint8Array(list)), expected, `${label} ${list}`);
}
const wide = new TextDecoder('utf-16le');
same([0x3d, 0xd8, 0x00, 0xde].map((b) => wide.decode(bytes(b), { stream: true })).join(''), '😀', 'utf-16 byte by byte');
for (const label of ['utf-99', '', 'utf8\u00a0', 'x'.repeat(1000)])
	throws(() => new TextDecoder(label), 'RangeError', `label ${label}`);

const source = bytes(0x61, 0x62, 0x63, 0x64);
const decoder = new TextDecoder();
same([decoder.decode(source.buffer), decoder.decode(source.subarray(1, 3)), decoder.decode(new DataView(source.buffer,
	2)),
	decoder.decode(new Uint16Array(source.buffer))], ['abcd', 'bc', 'cd', 'abcd'], 'sources');
throws(() => decoder.decode('text'), 'TypeError', 'text is no source');
throws(() => decoder.decode(null), 'TypeError', 'null is no source');
const detached = new Uint8Array(4);
detached.buffer.transfer();
same(decoder.decode(detached), '', 'a detached source');
same([decoder.fatal, decoder.ignoreBOM, `${decoder}`], [false, false, '[object TextDecoder]'], 'properties');
const big = 'é€x'.repeat(100000);
same(new TextDecoder().decode(encoder.encode(big)) === big, true, 'large');
same({ ['é']: 1 }[new TextDecoder('latin1').decode(bytes(0xe9))], 1, 'decoded text as a key');

same([btoa(''), btoa('a'), btoa('ab'), btoa('abc'), btoa('\xff')], ['', 'YQ==', 'YWI=', 'YWJj', '/w=='], 'btoa');
same([atob(''), atob('YQ=='), atob('YQ'), atob(' Y W\nI= '), atob('/w==')], ['', 'a', 'a', 'ab', '\xff'], 'atob');
for (const wrong of ['a', 'ab=', 'a===', 'YQ=a', 'Y*', '\u0100', 'ab-_', '=', 'YWJj='])
	throws(() => atob(wrong), 'InvalidCharacterError', `atob ${wrong}`);
throws(() => btoa('\u0100'), 'InvalidCharacterError', 'btoa');
throws(() => btoa(), 'TypeError', 'btoa needs an argument');
throws(() => atob(), 'TypeError', 'atob needs an argument');
