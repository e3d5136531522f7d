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
export default 'done';
