// SPDX-License-Identifier: Apache-2.0
// Blob, File, and conversions of them.
// outcome: ok
// value: "done"
const same = (actual, expected, what) => {
	if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
};
const fails = async (action, name, what) => {
	try { await action(); } catch (error) { same(error?.name, name, what); return error; }
	throw new Error(`${what}: nothing thrown`);
};
const blob = new Blob(['a\r\nb', new Uint8Array([99, 100]).buffer, new Blob(['é']), 7], { type: 'Text/Plain' });
same([blob.size, blob.type, await blob.text()], [9, 'text/plain', 'a\r\nbcdé7'], 'parts');
same(await new Blob(['a\r\nb\rc\n'], { endings: 'native' }).text(), 'a\nb\nc\n', 'native line ends');
same([await blob.slice(4, 6).text(), blob.slice(-1, 100, 'X').type, await blob.slice(-1).text(), blob.slice(5, 2).size], ['cd', 'x', '7', 0], 'slice');
const bytes = await blob.bytes();
bytes[0] = 0;
same([(await blob.bytes())[0], new Uint8Array(await blob.arrayBuffer())[4]], [97, 99], 'copies');
let read = 0, chunks = 0;
for await (const chunk of new Blob([new Uint8Array(200000)]).stream()) { read += chunk.length; chunks++; }
same([read, chunks > 1], [200000, true], 'stream');
const reader = blob.stream().getReader({ mode: 'byob' });
same([...(await reader.read(new Uint8Array(4))).value], [97, 13, 10, 98], 'BYOB');
const file = new File([blob], 'ä.txt', { lastModified: 5, type: 'a/b' });
same([file.name, file.lastModified, file.type, file.size, file instanceof Blob, Object.prototype.toString.call(file)],
	['ä.txt', 5, 'a/b', 9, true, '[object File]'], 'file');
const clone = structuredClone({ file, blob });
same([clone.file.name, clone.file.lastModified, await clone.blob.text(), clone.blob !== blob], ['ä.txt', 5, 'a\r\nbcdé7', true], 'structuredClone');
const response = new Response(blob);
same([response.headers.get('content-type'), (await response.blob()).type], ['text/plain', 'text/plain'], 'body');
same((await new Response('x', { headers: { 'content-type': 'A/B; c="d e" ;f=g' } }).blob()).type, 'a/b;c="d e";f=g', 'type of blob()');
const url = URL.createObjectURL(file);
const fetched = await fetch(url);
same([url.startsWith('blob:null/'), await fetched.text(), fetched.headers.get('content-type')], [true, 'a\r\nbcdé7', 'a/b'], 'blob:');
for (const [range, body, content] of [['bytes=2-4', '\nbc', '2-4'], ['bytes=-2', '\xa97', '7-8'], ['bytes=7-', '\xa97', '7-8'], ['bytes=3-99', 'bcd\xc3\xa97', '3-8']]) {
	const part = await fetch(url, { headers: { range } });
	same([part.status, part.statusText, String.fromCharCode(...await part.bytes()), part.headers.get('content-range'), part.headers.get('content-length')],
		[206, 'Partial Content', body, `bytes ${content}/9`, String(body.length)], range);
}
same((await fetch(url)).headers.get('content-length'), '9', 'content-length');
for (const range of ['bytes=9-', 'bytes=4-2', 'bytes=-', 'bytes=1', 'bytes=a-b', 'bytes=0-1,3-4', 'lines=0-1', '', 'bytes=1-2-3'])
	await fails(() => fetch(url, { headers: { range } }), 'TypeError', range);
URL.revokeObjectURL(url);
await fails(() => fetch(url), 'TypeError', 'revoked');
for (const bad of [() => new Blob('a'), () => new Blob(1), () => new Blob([Symbol()]), () => new Blob([], { endings: 'x' }), () => Blob([]), () => new File([]),
	() => new File('a', 'b'), () => Blob.prototype.text.call({}), () => URL.createObjectURL({})])
	await fails(bad, 'TypeError', String(bad));
await fails(() => new Blob([{ toString() { throw new RangeError('mine') } }]), 'RangeError', 'a part that throws');
for (const [given, text, type] of [['data:,a%20b%zz', 'a b%zz', 'text/plain;charset=US-ASCII'], ['data:text/html;charset=utf-8;base64, aGk =', 'hi', 'text/html;charset=utf-8'],
	['data:;x=y,q#hash', 'q', 'text/plain;x=y'], ['data:bad,', '', 'text/plain;charset=US-ASCII']]) {
	const r = await fetch(given);
	same([await r.text(), r.headers.get('content-type'), r.url], [text, type, given.split('#')[0]], given);
}
await fails(() => fetch('data:x'), 'TypeError', 'no comma');
await fails(() => fetch('data:;base64,*'), 'TypeError', 'no base64');
await fails(() => fetch('ftp://a/'), 'TypeError', 'no scheme that can be fetched');
export default 'done';
