// SPDX-License-Identifier: Apache-2.0
// URL: parts, setters, base URLs, hosts, and errors.
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
const parts = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search',
	'hash'];
function check(input, base, expected) {
	const url = new URL(input, base);
	for (let i = 0; i < parts.length; i++)
		same(url[parts[i]], expected[i], `${parts[i]} of ${input}`);
}
check('https://us%20er:p%40ss@Example.COM:8080/a/./b/../c?x=1#h', undefined,
	['https://us%20er:p%40ss@example.com:8080/a/c?x=1#h',
	'https://example.com:8080', 'https:', 'us%20er', 'p%40ss', 'example.com:8080', 'example.com', '8080', '/a/c', '?x=1',
		'#h']);
check('https://user@h', undefined, ['https://user@h/', 'https://h', 'https:', 'user', '', 'h', 'h', '', '/', '', '']);
check('https://:pw@h:443', undefined, ['https://:pw@h/', 'https://h', 'https:', '', 'pw', 'h', 'h', '', '/', '', '']);
check('http://h?', undefined, ['http://h/?', 'http://h', 'http:', '', '', 'h', 'h', '', '/', '', '']);
check('http://h#', undefined, ['http://h/#', 'http://h', 'http:', '', '', 'h', 'h', '', '/', '', '']);
check('http://h?#x', undefined, ['http://h/?#x', 'http://h', 'http:', '', '', 'h', 'h', '', '/', '', '#x']);
check('file:///etc/x', undefined, ['file:///etc/x', 'null', 'file:', '', '', '', '', '', '/etc/x', '', '']);
check('mailto:a@b', undefined, ['mailto:a@b', 'null', 'mailto:', '', '', '', '', '', 'a@b', '', '']);
check('data:text/plain,x y?q#f', undefined, ['data:text/plain,x y?q#f', 'null', 'data:', '', '', '', '', '',
	'text/plain,x y', '?q', '#f']);
check('web+demo:/.//not-a-host/', undefined, ['web+demo:/.//not-a-host/', 'null', 'web+demo:', '', '', '', '', '',
	'//not-a-host/', '', '']);
check('blob:https://a.b:8/x', undefined, ['blob:https://a.b:8/x', 'https://a.b:8', 'blob:', '', '', '', '', '',
	'https://a.b:8/x', '', '']);
check('//other/x', 'https://h:1/y?z#w', ['https://other/x', 'https://other', 'https:', '', '', 'other', 'other', '',
	'/x', '', '']);
check('../x?y', 'https://h:1/a/b/c', ['https://h:1/a/x?y', 'https://h:1', 'https:', '', '', 'h:1', 'h', '1', '/a/x',
	'?y', '']);
check('http://[::1]:80/', undefined, ['http://[::1]/', 'http://[::1]', 'http:', '', '', '[::1]', '[::1]', '', '/', '',
	'']);
check('http://0x7f.1/', undefined, ['http://127.0.0.1/', 'http://127.0.0.1', 'http:', '', '', '127.0.0.1',
	'127.0.0.1', '', '/', '', '']);
check('https://münchen.example/ü?ü#ü', undefined, ['https://xn--mnchen-3ya.example/%C3%BC?%C3%BC#%C3%BC',
	'https://xn--mnchen-3ya.example',
	'https:', '', '', 'xn--mnchen-3ya.example', 'xn--mnchen-3ya.example', '', '/%C3%BC', '?%C3%BC', '#%C3%BC']);
check('  http://h/\ta\nb  ', undefined, ['http://h/ab', 'http://h', 'http:', '', '', 'h', 'h', '', '/ab', '', '']);
same(new URL('http://h/\ud800').pathname, '/%EF%BF%BD', 'a lone surrogate');

for (const wrong of ['', 'x', '/x', 'http://', 'http://a b/', 'http://[::1', 'http://h:99999', 'http://a%00b',
	'https://xn--/'])
	throws(() => new URL(wrong), 'TypeError', `parse ${wrong}`);
throws(() => new URL('x', 'mailto:a'), 'TypeError', 'a base without a path');
throws(() => new URL('x', 'wrong'), 'TypeError', 'a wrong base');
throws(() => new URL(), 'TypeError', 'an argument is needed');
throws(() => URL('http://h'), 'TypeError', 'new');
throws(() => Object.getOwnPropertyDescriptor(URL.prototype, 'href').get.call({}), 'TypeError', 'brand');
same([URL.canParse('http://h'), URL.canParse('x'), URL.canParse('x', 'http://h'), URL.canParse('http://h', 'x')],
	[true, false, true, false], 'canParse');
if (URL.parse) {
	same([URL.parse('x', 'http://h/').href, URL.parse('x')], ['http://h/x', null], 'URL.parse');
	same(URL.parse('http://h') instanceof URL, true, 'URL.parse makes a URL');
}

function set(input, key, value, expected) {
	const url = new URL(input);
	url[key] = value;
	same(url.href, expected, `${key} = ${value}`);
}
set('http://h/p', 'protocol', 'https', 'https://h/p');
set('http://h/p', 'protocol', 'mailto', 'http://h/p');
set('http://h/p', 'username', 'a b', 'http://a%20b@h/p');
set('http://a@h/p', 'password', 'x:y', 'http://a:x%3Ay@h/p');
set('http://h/p', 'host', 'x:81', 'http://x:81/p');
set('http://h:1/p', 'hostname', 'x', 'http://x:1/p');
set('http://h/p', 'hostname', 'a b', 'http://h/p');
set('http://h/p', 'port', '82x', 'http://h:82/p');
set('http://h:82/p', 'port', '', 'http://h/p');
set('http://h/p', 'port', 'x', 'http://h/p');
set('http://h/p', 'pathname', 'a?b#c', 'http://h/a%3Fb%23c');
set('http://h/p?a', 'search', 'b=c d', 'http://h/p?b=c%20d');
set('http://h/p?a', 'search', '', 'http://h/p');
set('http://h/p#a', 'hash', '#b c', 'http://h/p#b%20c');
set('http://h/p#a', 'hash', '', 'http://h/p');
set('mailto:x', 'pathname', 'y', 'mailto:x');
set('http://h/p', 'href', 'https://z', 'https://z/');
throws(() => { new URL('http://h').href = 'x'; }, 'TypeError', 'href must be valid');
same([JSON.stringify(new URL('http://h')), `${new URL('http://h')}`], ['"http://h/"', 'http://h/'], 'as text');
same([URL.length, `${Object.prototype.toString.call(new URL('http://h'))}`], [1, '[object URL]'], 'length and tag');

// Changes of the parameters change the URL, and vice versa.
const url = new URL('http://h/?a=1&b=2');
const params = url.searchParams;
same(url.searchParams === params, true, 'the same object');
params.append('c', 'x y');
same(url.href, 'http://h/?a=1&b=2&c=x+y', 'append');
params.delete('a');
params.set('b', '&');
same(url.search, '?b=%26&c=x+y', 'delete and set');
url.search = '?q=1';
same([params.get('q'), params.get('b'), params.size], ['1', null, 1], 'search');
url.href = 'http://h/?z=9#f';
same([...params], [['z', '9']], 'href');
params.delete('z');
same(url.href, 'http://h/#f', 'nothing left');

try {
	new URL('/path');
} catch (error) {
	same([error.code, error.input, error.message], ['ERR_INVALID_URL', '/path', 'Invalid URL'], 'as in Node');
}
