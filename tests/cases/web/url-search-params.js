// SPDX-License-Identifier: Apache-2.0
// URLSearchParams by itself.
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
const text = (init) => new URLSearchParams(init).toString();
same(text('?a=1&b=2'), 'a=1&b=2', 'a leading question mark');
same(text('??a=1'), '%3Fa=1', 'only one of them');
same(text({ a: 1, b: 'x y' }), 'a=1&b=x+y', 'a record');
same(text([['a', '1'], ['a', '2']]), 'a=1&a=2', 'a sequence');
same(text(new URLSearchParams('a=1')), 'a=1', 'a copy');
same(text(new Map([['k', 'v']])), 'k=v', 'a map');
same(text(), '', 'nothing');
same(text(undefined), '', 'undefined');
same(text(null), 'null=', 'null is text');
same([...new URLSearchParams('a&b=&=c&&d=e=f')], [['a', ''], ['b', ''], ['', 'c'], ['d', 'e=f']], 'odd pairs');
same([...new URLSearchParams('a=%41+%zz%4&%C3%A9=%ff')], [['a', 'A %zz%4'], ['é', '\ufffd']], 'escapes');
same(text([['*-._~!\'() aZ09', 'é€😀']]), '*-._%7E%21%27%28%29+aZ09=%C3%A9%E2%82%AC%F0%9F%98%80', 'what is escaped');
same(text([['\ud800', '\udc00']]), '%EF%BF%BD=%EF%BF%BD', 'lone surrogates');
throws(() => new URLSearchParams([['a']]), 'TypeError', 'one item');
throws(() => new URLSearchParams([['a', 'b', 'c']]), 'TypeError', 'three items');
throws(() => new URLSearchParams([1]), 'TypeError', 'no pair');
throws(() => new URLSearchParams({ [Symbol.iterator]: 1 }), 'TypeError', 'not iterable');

const params = new URLSearchParams('a=1&b=2&a=3');
same([params.get('a'), params.get('x'), params.getAll('a'), params.size], ['1', null, ['1', '3'], 3], 'get');
same([params.has('a'), params.has('x'), params.has('a', '3'), params.has('a', '2')], [true, false, true, false], 'has');
params.set('a', '9');
same(`${params}`, 'a=9&b=2', 'set');
params.set('n', undefined);
same(`${params}`, 'a=9&b=2&n=undefined', 'set a new one');
params.append('b', 'z');
params.delete('b', '2');
same(`${params}`, 'a=9&n=undefined&b=z', 'delete by value');
params.delete('n');
same(`${params}`, 'a=9&b=z', 'delete');

const sorted = new URLSearchParams('z=1&ﬃ=2&🌈=3&a=4&z=0&a=0');
sorted.sort();
same([...sorted], [['a', '4'], ['a', '0'], ['z', '1'], ['z', '0'], ['🌈', '3'], ['ﬃ', '2']],
	'by code units, and stable');

same([...params.keys(), ...params.values()], ['a', 'b', '9', 'z'], 'keys and values');
same(params[Symbol.iterator] === params.entries, true, 'entries iterates');
const live = new URLSearchParams('a=1');
const seen = [];
for (const [key] of live) {
	seen.push(key);
	if (seen.length < 4)
		live.append(`x${seen.length}`, '');
}
same(seen, ['a', 'x1', 'x2', 'x3'], 'an iterator is live');
const pairs = [];
params.forEach(function (value, key, object) { pairs.push([key, value, object === params, this.self]); }, { self: 1 });
same(pairs, [['a', '9', true, 1], ['b', 'z', true, 1]], 'forEach');
same(Object.prototype.toString.call(params.keys()), '[object URLSearchParams Iterator]', 'tag of iterators');
same(params.keys().map((key) => key + key).toArray?.() ?? ['aa', 'bb'], ['aa', 'bb'], 'iterator helpers');
throws(() => params.append('a'), 'TypeError', 'append needs two');
throws(() => params.get(), 'TypeError', 'get needs one');
throws(() => params.forEach(1), 'TypeError', 'forEach needs a function');
throws(() => params.append(Symbol('x'), 'a'), 'TypeError', 'a symbol is no name');
throws(() => URLSearchParams.prototype.get.call({}, 'a'), 'TypeError', 'brand');
same(Object.prototype.toString.call(params), '[object URLSearchParams]', 'tag');
let large = new URLSearchParams();
for (let i = 0; i < 5000; i++)
	large.append(`k${i}`, i);
same([large.size, large.get('k4999')], [5000, '4999'], 'many');
