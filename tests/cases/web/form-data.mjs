// SPDX-License-Identifier: Apache-2.0
// FormData, and multipart bodies in both directions.
// outcome: ok
// value: "done"
const same = (actual, expected, what) => {
	if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
};
const fails = async (action, name, what) => {
	try { await action(); } catch (error) { same(error?.name, name, what); return error; }
	throw new Error(`${what}: nothing thrown`);
};
const form = new FormData();
form.append('a', 1);
form.append('a', 'two\nlines');
form.append('file"\n', new File(['x\r\n--y'], 'n"\r\n.txt', { type: 'a/b' }));
form.append('blob', new Blob(['z']), 'given');
same([form.get('a'), form.getAll('a'), form.get('no'), form.has('blob'), form.get('blob').name], ['1', ['1', 'two\nlines'], null, true, 'given'], 'reading');
const response = new Response(form), type = response.headers.get('content-type');
same(/^multipart\/form-data; boundary=----CurfewFormBoundary[0-9a-f]{32}$/.test(type), true, 'type');
const bytes = await response.clone().bytes(), text = await response.clone().text();
same(text.includes('name="a"\r\n\r\ntwo\r\nlines\r\n'), true, 'line ends');
same(text.includes('name="file%22%0D%0A"; filename="n%22%0D%0A.txt"\r\nContent-Type: a/b\r\n\r\nx\r\n--y\r\n'), true, 'escapes');
const back = await response.formData();
same([...back.keys()], ['a', 'a', 'file"\r\n', 'blob'], 'names');
same([back.getAll('a'), await back.get('file"\r\n').text(), back.get('file"\r\n').name, back.get('file"\r\n').type, back.get('blob').type],
	[['1', 'two\r\nlines'], 'x\r\n--y', 'n"\r\n.txt', 'a/b', 'application/octet-stream'], 'values');
form.set('a', 'only');
form.delete('blob');
same([...form].map(([name]) => name), ['a', 'file"\n'], 'set and delete');
const seen = [];
form.forEach(function (value, name, whole) { seen.push(name, this === 7 || whole === form); }, 7);
same(seen, ['a', true, 'file"\n', true], 'forEach');
same([...(await new Response(new URLSearchParams('a=b&c=%20')).formData())], [['a', 'b'], ['c', ' ']], 'urlencoded');
same(await new Request('http://a/', { method: 'POST', body: form }).formData().then((f) => f.get('a')), 'only', 'a request');
const quoted = new Response('--x y\r\nContent-Disposition: form-data; name="k"\r\n\r\n\r\n--x y--', { headers: { 'Content-Type': 'multipart/form-data; boundary="x y"' } });
same([...(await quoted.formData())], [['k', '']], 'a quoted boundary and nothing in it');
same([...(await new Response('--x--', { headers: { 'Content-Type': 'multipart/form-data; boundary=x' } }).formData())], [], 'no part at all');
const H = { headers: { 'content-type': 'multipart/form-data; boundary=x' } };
for (const bad of ['', '--x', '--x\r\n', '--xContent', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nno end', '--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--',
	'--x\r\nContent-Disposition: attachment; name="a"\r\n\r\na\r\n--x--', '--x\r\n\r\na\r\n--x--', '--x\r\nContent-Disposition: form-data; name="a\r\n\r\na\r\n--x--',
	'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\na\r\n--x', '--y--', 'a--x--'])
	await fails(() => new Response(bad, H).formData(), 'TypeError', JSON.stringify(bad));
await fails(() => new Response('a=b').formData(), 'TypeError', 'no form type');
await fails(() => new Response('a', { headers: { 'content-type': 'multipart/form-data' } }).formData(), 'TypeError', 'no boundary');
for (const bad of [() => new FormData({}), () => new FormData(null), () => form.append('a'), () => form.append('a', 'b', 'c'), () => form.set('a', {}, 'c'), () => FormData.prototype.get.call({}, 'a'),
	() => form.append('a', Symbol())])
	await fails(bad, 'TypeError', String(bad));
same([...form.keys()], ['a', 'file"\n'], 'nothing half added');
same(bytes.length === new TextEncoder().encode(text).length, true, 'bytes');
// What other programs send: another order, no spaces, other parameters, tokens, a preamble and an epilogue.
const part = (head, body = 'v') => `--x\r\n${head}\r\n\r\n${body}\r\n--x--`;
const read = async (body, type = 'multipart/form-data; boundary=x') => {
	const read = [];
	for (const [name, value] of await new Response(body, { headers: { 'content-type': type } }).formData())
		read.push(typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text()]);
	return read;
};
const D = 'Content-Disposition: form-data';
for (const [body, expected] of [
	[part(`${D};filename="f";name="a"`), [['a', 'f', 'text/plain', 'v']]],
	[part(`${D}; name=a; filename=f.txt; size=3;`), [['a', 'f.txt', 'text/plain', 'v']]],
	[part(`CONTENT-DISPOSITION : Form-Data;\tNAME="a"`), [['a', 'v']]],
	[`before\r\n${part(`${D}; name="a"`)}\r\nbehind`, [['a', 'v']]],
	[part(`${D}; name="a; filename=b"`), [['a; filename=b', 'v']]],
	[part(`${D}; name="%0d%0A%22%25%"`), [['\r\n"%25%', 'v']]],
	[part(`${D}; name="a"; filename="C:\\d\\f"`), [['a', 'C:\\d\\f', 'text/plain', 'v']]],
	[part(`${D}; name="a"; filename="x"; filename*=UTF-8''%e2%82%ac%41`), [['a', '€A', 'text/plain', 'v']]],
	[part(`${D}; name="a"\r\nContent-Transfer-Encoding: BASE64`, 'aGk='), [['a', 'hi']]],
	[part(`${D}; name="a"; filename="b"\r\nContent-Type: x/y\r\nContent-Transfer-Encoding: base64`, 'aG\r\nk='), [['a', 'b', 'x/y', 'hi']]],
	[part(`${D}; name="a"`, 'a--xb\r\n--\n--x--'), [['a', 'a--xb\r\n--\n--x--']]],
])
	same(await read(body), expected, body);
// What another reader could understand differently is malformed.
for (const bad of [part(`${D}; name="a"; name="b"`), part(`${D}; name="a"; filename="f"; filename="g"`), part(`${D}; name="a\\"b"`), part(`${D}; name="a"b`), part(`${D}; name="a" filename="b"`),
	part(`${D}; name=a b`), part(`${D}; name="a"; filename*=x`), part(`${D}; name="a"; filename*=latin1''x`), part(`${D}; name="a"\r\nno colon`), part(`: v\r\n${D}; name="a"`),
	part(`${D}; name="a"\r\nx y: z`), part(`${D}; name="a"\r\nContent-Transfer-Encoding: base64`, '!'), part(`${D}x; name="a"`), part(`${D}; filename="a"`)])
	await fails(() => read(bad), 'TypeError', bad);
await fails(() => read('--\r\n----', 'multipart/form-data; boundary=""'), 'TypeError', 'an empty boundary');
same(await read('\ufeffa=1', 'application/x-www-form-urlencoded'), [['\ufeffa', '1']], 'a mark of the byte order');
// Of several types the last one counts.
same(await read(part(`${D}; name="a"`), 'text/plain;q=",", multipart/form-data; boundary=x, */*, none'), [['a', 'v']], 'several types');
for (const [given, expected] of [['text/html;charset=gbk, text/html', 'text/html;charset=gbk'], ['text/html;charset=gbk, x/y, text/html', 'text/html'], ['text/html;charset=gbk;a=b, text/html;x=", "', 'text/html;x=", ";charset=gbk']])
	same((await new Response('', { headers: { 'content-type': given } }).blob()).type, expected, given);
export default 'done';
