// SPDX-License-Identifier: Apache-2.0
// Headers, Request and Response without a network.
// outcome: ok
// value: true
function same(actual, expected, what) {
	if (JSON.stringify(actual) !== JSON.stringify(expected))
		throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}
async function fails(action, name, what) {
	try {
		await action();
	} catch (error) {
		same(error.name, name, what);
		return;
	}
	throw new Error(`${what}: nothing thrown`);
}

async function headers() {
	const h = new Headers({ 'X-B': ' 1 ', a: '2' });
	h.append('x-b', '3');
	h.append('Set-Cookie', 'c=1');
	h.append('set-cookie', 'd=2');
	same([...h], [['a', '2'], ['set-cookie', 'c=1'], ['set-cookie', 'd=2'], ['x-b', '1, 3']], 'sorted');
	same([h.get('X-b'), h.get('none'), h.has('A'), h.getSetCookie()], ['1, 3', null, true, ['c=1', 'd=2']], 'get');
	h.set('x-B', '4');
	h.delete('A');
	same([...h.keys()], ['set-cookie', 'set-cookie', 'x-b'], 'keys');
	same([...h.values()], ['c=1', 'd=2', '4'], 'values');
	same([...new Headers([['a', 'b'], ['a', 'c']])], [['a', 'b, c']], 'pairs');
	same([...new Headers(h)].length, 3, 'copy');
	const seen = [];
	h.forEach(function (value, name, all) { seen.push([value, name, all === h, this.me]); }, { me: 1 });
	same(seen[2], ['4', 'x-b', true, 1], 'forEach');
	same(String(h) + Headers.name + Headers.length, '[object Headers]Headers0', 'names');
	for (const bad of [() => new Headers([['a']]), () => new Headers('a'), () => new Headers({ 'a b': 'c' }), () => h.append('a', 'b\nc'),
		() => h.append('a', '\u0100'), () => h.get(''), () => h.append('a'), () => Headers.prototype.get.call({}, 'a')])
		await fails(bad, 'TypeError', String(bad));
}

async function requests() {
	const r = new Request('https://example.com/a/../b?c#d', { method: 'post', body: 'hé', headers: { 'X-A': '1', Host: 'x', Connection: 'y' } });
	same([r.method, r.url, r.redirect, r.duplex, r.bodyUsed, r.signal.aborted], ['POST', 'https://example.com/b?c#d', 'follow', 'half', false, false], 'request');
	same([...r.headers], [['content-type', 'text/plain;charset=UTF-8'], ['x-a', '1']], 'headers, forbidden ones left out');
	const again = new Request(r, { method: 'PUT', redirect: 'manual' });
	same([again.method, again.redirect, await again.text(), r.bodyUsed], ['PUT', 'manual', 'hé', true], 'from another');
	await fails(() => new Request(r), 'TypeError', 'a body that was used');
	const one = new Request('http://a/', { method: 'POST', body: new Uint8Array([1, 2]) }), two = one.clone();
	same([[...await one.bytes()], [...new Uint8Array(await two.arrayBuffer())]], [[1, 2], [1, 2]], 'clone');
	const c = new AbortController();
	const following = new Request('http://a/', { signal: c.signal }), copy = new Request(following).clone();
	same([following.signal === c.signal, following.signal === following.signal, copy.signal.aborted], [false, true, false], 'signal');
	c.abort('why');
	same([following.signal.aborted, following.signal.reason, copy.signal.reason], [true, 'why', 'why'], 'the signal follows');
	const plain = new Request('ftp://a/b');
	same([plain.mode, plain.credentials, plain.cache, plain.referrer, plain.referrerPolicy, plain.destination, plain.integrity, plain.keepalive],
		['cors', 'same-origin', 'default', 'about:client', '', '', '', false], 'the rest of a request');
	same([new Request('http://a/', { mode: 'no-cors', cache: 'no-store', referrer: '', keepalive: 1 })].map((q) => [q.mode, q.cache, q.referrer, q.keepalive]),
		[['no-cors', 'no-store', '', true]], 'given');
	for (const bad of [{ mode: 'no-cors', method: 'PUT' }, { method: 'POST', body: new ReadableStream(), duplex: 'half', keepalive: true }])
		await fails(() => new Request('http://a/', bad), 'TypeError', JSON.stringify(bad));
	same(await new Request('http://a/', { method: 'POST', body: new ReadableStream({ start(k) { k.enqueue(new Uint8Array([104])); k.close() } }), duplex: 'half' }).text(),
		'h', 'a stream');
	for (const bad of [() => new Request('/relative'), () => new Request('http://a/', { mode: 'navigate' }), () => new Request('http://a/', { method: 'POST', body: new ReadableStream() }),
		() => new Request('http://a/', { duplex: 'full' }), () => new Request('http://a/', { cache: 'only-if-cached' }), () => new Request('http://a/', { window: 1 }), () => new Request('http://u:p@a/'), () => new Request(),
		() => new Request('http://a/', { method: 'CONNECT' }), () => new Request('http://a/', { method: 'a b' }), () => new Request('http://a/', { body: 'x' }),
		() => new Request('http://a/', { redirect: 'no' }), () => new Request('http://a/', { signal: {} })])
		await fails(bad, 'TypeError', String(bad));
}

async function responses() {
	const r = new Response('{"a":1}', { status: 201, statusText: 'Made', headers: { 'X-A': 'b' } });
	same([r.status, r.ok, r.statusText, r.type, r.url, r.redirected, r.headers.get('content-type')],
		[201, true, 'Made', 'default', '', false, 'text/plain;charset=UTF-8'], 'response');
	const copy = r.clone();
	same([await r.json(), await copy.text(), r.bodyUsed], [{ a: 1 }, '{"a":1}', true], 'read twice, by a clone');
	await fails(() => r.text(), 'TypeError', 'read again');
	await fails(() => r.clone(), 'TypeError', 'cloned after');
	await fails(() => new Response('{').json(), 'SyntaxError', 'not JSON');
	same([new Response().body, await new Response().text(), (await new Response(null).bytes()).length], [null, '', 0], 'none');
	same(await new Response(new URLSearchParams({ a: 'b c' })).text(), 'a=b+c', 'parameters');
	same(await new Response(new Uint8Array([0x61, 0xff, 0x62])).text(), 'a\ufffdb', 'not UTF-8');
	same(await new Response('\ufeffx').text(), 'x', 'byte order mark');
	const j = Response.json([1], { status: 400 });
	same([j.status, j.ok, j.headers.get('Content-Type'), await j.json()], [400, false, 'application/json', [1]], 'json');
	const to = Response.redirect('http://a/b', 301);
	same([to.status, to.headers.get('location')], [301, 'http://a/b'], 'redirect');
	await fails(() => to.headers.set('a', 'b'), 'TypeError', 'immutable');
	const e = Response.error();
	same([e.type, e.status, e.ok, e.body], ['error', 0, false, null], 'error');
	const s = new Response(new ReadableStream({ start(x) { x.enqueue(new TextEncoder().encode('on')); x.enqueue(new TextEncoder().encode('e')); x.close(); } }));
	const t = s.clone();
	same([await s.text(), await t.text()], ['one', 'one'], 'a stream');
	const b = new Response('abc');
	const reader = b.body.getReader();
	same([b.body.locked, b.bodyUsed, new TextDecoder().decode((await reader.read()).value), b.bodyUsed, (await reader.read()).done], [true, false, 'abc', true, true], 'body');
	const m = new Response('x', { status: 204.7 - 4 });
	same(m.status, 200, 'an integer');
	for (const bad of [() => new Response('x', { status: 204 }), () => Response.json(undefined), () => new Response(new ReadableStream({ pull(x) { x.enqueue('text'); } })).text(),
		() => new Response('', { statusText: '\n' }), () => Response.redirect('x')])
		await fails(bad, 'TypeError', String(bad));
	for (const bad of [() => new Response('', { status: 199 }), () => new Response('', { status: 600 }), () => Response.redirect('http://a/', 200)])
		await fails(bad, 'RangeError', String(bad));
}

async function unallowed() {
	await fails(() => fetch('http://example.com/'), 'TypeError', 'fetch');
	const error = await fetch('https://example.com:8443/x').catch((e) => e);
	same([error instanceof TypeError, error.message.includes('example.com:8443')], [true, true], 'names the host');
	await fails(() => fetch('http://example.com/', { signal: AbortSignal.abort(new RangeError('x')) }), 'RangeError', 'aborted');
	same([fetch.name, fetch.length], ['fetch', 1], 'fetch itself');
}

headers().then(requests).then(responses).then(unallowed).then(() => true);
