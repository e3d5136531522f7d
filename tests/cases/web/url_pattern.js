// SPDX-License-Identifier: Apache-2.0
// URLPattern: patterns as text and in parts, groups, bases, the engine's own regular expressions, invalid patterns.
// outcome: ok
// value: "done"
const same = (actual, expected, what) => {
	if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
};
const fails = (action, what) => {
	try { action(); } catch (error) { same(error.name, 'TypeError', what); return; }
	throw new Error(`${what}: nothing thrown`);
};
const books = new URLPattern({ pathname: '/books/:id' });
same([books.test('https://example.com/books/123'), books.test('https://example.com/books/'), books.test({ pathname: '/books/7' })], [true, false, true], 'a name');
same(books.exec('https://example.com/books/123').pathname, { input: '/books/123', groups: { id: '123' } }, 'a group');
same([books.protocol, books.hostname, books.pathname, books.hash, books.hasRegExpGroups], ['*', '*', '/books/:id', '*', false], 'parts');
const whole = new URLPattern('https://*.example.com:8080/:kind(user|group)/*\\?x=:x#:part');
same([whole.protocol, whole.hostname, whole.port, whole.pathname, whole.search, whole.hash, whole.hasRegExpGroups],
	['https', '*.example.com', '8080', '/:kind(user|group)/*', 'x=:x', ':part', true], 'a whole pattern');
const found = whole.exec('https://a.b.example.com:8080/group/1/2?x=y#z');
same([found.hostname.groups, found.pathname.groups, found.search.groups, found.hash.groups, found.inputs],
	[{ 0: 'a.b' }, { 0: '1/2', kind: 'group' }, { x: 'y' }, { part: 'z' }, ['https://a.b.example.com:8080/group/1/2?x=y#z']], 'a whole match');
same(whole.exec('https://a.example.com:8080/other/1?x=y#z'), null, 'no match');
const based = new URLPattern('/a/:b?', 'https://example.com');
same([based.hostname, based.test('/a/1', 'https://example.com'), based.test('https://example.com/a'), based.test('/a/1', 'https://example.org')],
	['example.com', true, true, false], 'a base');
same(based.exec('/a/1', 'https://example.com').inputs, ['/a/1', 'https://example.com'], 'inputs');
same(based.exec({ pathname: '/a', baseURL: 'https://example.com' }).pathname.groups, {}, 'an optional group');
same('b' in based.exec('https://example.com/a').pathname.groups, true, 'a group that is undefined');
same([new URLPattern({ pathname: '/A' }, { ignoreCase: true }).test({ pathname: '/a' }), new URLPattern({ pathname: '/A' }).test({ pathname: '/a' })], [true, false], 'case');
same(new URLPattern('/A', 'https://example.com', { ignoreCase: true }).test('https://example.com/a'), true, 'case, with a base');
same([new URLPattern().test('https://anything.example'), new URLPattern({}).test()], [true, true], 'everything');
same(new URLPattern({ pathname: '/([\\p{Lu}--[A-F]]+)' }).test({ pathname: '/GHI' }), true, 'sets of characters');
same(new URLPattern({ hostname: 'ä.example' }).hostname, 'xn--4ca.example', 'a name of the world');
same(new URLPattern({ pathname: '/{:a.}:b' }).exec({ pathname: '/x.y' }).pathname.groups, { a: 'x', b: 'y' }, 'braces');

fails(() => new URLPattern({ pathname: '/([' }), 'no regular expression');
fails(() => new URLPattern({ pathname: '/:a/:a' }), 'a name twice');
fails(() => new URLPattern('/a'), 'relative without a base');
fails(() => new URLPattern({ pathname: '/a' }, 'https://example.com'), 'a base beside an object');
fails(() => new URLPattern({ port: '99999999' }), 'a port');
fails(() => books.test({ pathname: '/a' }, 'https://example.com'), 'a base beside an object');
fails(() => URLPattern(), 'without new');
same(books.test('not a URL'), false, 'no URL');

// A program's changes of the engine's objects have no effect here.
const { exec } = RegExp.prototype;
RegExp.prototype.exec = () => { throw new Error('called'); };
same(new URLPattern({ pathname: '/(\\d+)' }).test({ pathname: '/12' }), true, 'a replaced exec');
RegExp.prototype.exec = exec;
same([Object.prototype.toString.call(books), URLPattern.length, Object.keys(URLPattern.prototype).includes('exec')], ['[object URLPattern]', 0, true], 'interface');
// A pattern that takes for ever uses only the program's own time.
same(new URLPattern({ pathname: '/' + '*'.repeat(1) }).test({ pathname: '/' + 'a'.repeat(10000) }), true, 'a long input');
'done';
