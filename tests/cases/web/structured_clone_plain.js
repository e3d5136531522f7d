// SPDX-License-Identifier: Apache-2.0
// structuredClone of plain data, which C code clones, has the results that other data has.
// args: --timeout 60s --memory 256MiB
// outcome: ok
// value: "done"
// used.loops: <= 30000
const fail = (what) => { throw new Error(what); };
const show = (value) => {
	const seen = new Map();
	const walk = (v) => {
		if (typeof v !== 'object' || v === null) return Object.is(v, -0) ? '-0' : typeof v + ' ' + String(v);
		if (seen.has(v)) return '#' + seen.get(v);
		seen.set(v, seen.size);
		const kind = Object.prototype.toString.call(v) + (Object.getPrototypeOf(v) === Object.prototype ? '' : '!') + (v instanceof Array ? v.length : '') + (v instanceof Date ? +v : '');
		const own = Object.entries(Object.getOwnPropertyDescriptors(v)).filter(([k]) => k !== 'length').map(([k, d]) => k + [d.writable, d.enumerable, d.configurable].map(Number).join('') + walk(d.value));
		const inside = v instanceof Map ? [...v].map(([a, b]) => walk(a) + '=>' + walk(b)) : v instanceof Set ? [...v].map(walk) : [];
		return `${kind}{${own}|${inside}}`;
	};
	return walk(value);
};
// An error beside the data makes the whole of it unusual.
const both = (what, value) => {
	const quick = structuredClone(value), slow = structuredClone([value, new Error()])[0];
	if (quick === value || show(quick) !== show(slow)) fail(`${what}: ${show(quick)} instead of ${show(slow)}`);
	return quick;
};
const shared = { s: 1 }, cycle = { shared, list: [shared, [shared]] };
cycle.self = cycle;
cycle.list.push(cycle.list);
const c = both('cycle', cycle);
if (c.self !== c || c.list[0] !== c.shared || c.list[1][0] !== c.shared || c.list[2] !== c.list || c.shared === shared) fail('identity');
const key = {}, map = new Map([[key, key], [NaN, -0], ['x', new Set([1, key, 'y'])], [1n, undefined]]);
map.set(map, map).delete('x');
const m = both('map', { map, key });
if (!m.map.has(m.key) || m.map.get(m.map) !== m.map || m.map.size !== 4) fail('keys');
both('primitives', [0, -0, NaN, Infinity, 1.5, 2 ** 53, 'text', '\ud800', '', 10n, -(2n ** 70n), true, false, null, undefined, 'rope '.repeat(9) + Math.random().toFixed(0)]);
both('dates', [new Date(0), new Date(NaN), new Date(8.64e15), Object.assign(new Date(5), { lost: 1 })]);
both('keys', { b: 1, 2: 2, a: 3, 1: 4, '-1': 5, 'ü': 6, [Symbol('lost')]: 7, ['__proto__']: 8, constructor: 9 });
both('hidden', Object.defineProperty({ a: 1, b: 2 }, 'c', { value: 3 }));
both('frozen', Object.freeze({ a: Object.freeze([1]), b: Object.seal({ c: 1 }) }));
both('without a prototype', { __proto__: null, a: { __proto__: null } });
both('with another prototype', Object.assign(Object.create({ inherited: 1 }), { own: 2 }));
class Point { x = 1; get y() { return 2; } }
both('of a class', [new Point(), new (class extends Array {})(1, 2, 3), new (class extends Map {})([[1, 2]])]);
both('private', new (class { #p = 1; q = 2; })());
both('deleted', (() => { const o = { a: 1, b: 2, c: 3 }; delete o.b; o.d = 4; delete o.a; return o; })());
both('sparse', [[1, , 3], new Array(5), Object.assign([1, 2], { extra: 1 }), Object.assign([], { length: 3 })]);
both('getters', { get a() { return { n: 1 }; }, b: 2 });
both('boxes', [Object('s'), Object(1), Object(true), /x/g, new Uint8Array([1, 2])]);
// Clones and originals have nothing in common, also when they change.
const one = { a: 1, b: { c: 2 } }, two = structuredClone(one), three = structuredClone(two);
two.d = 4;
delete two.a;
two.b.c = 5;
three.e = 6;
if (JSON.stringify([one, two, three]) !== '[{"a":1,"b":{"c":2}},{"b":{"c":5},"d":4},{"a":1,"b":{"c":2},"e":6}]') fail(JSON.stringify([one, two, three]));
for (const bad of [() => 1, Symbol(), { f() {} }, [[Symbol()]], new Map([[{}, () => 1]]), new WeakMap(), { p: new Proxy({}, {}) }, Promise.resolve()]) {
	try { structuredClone(bad); fail('cloned'); } catch (error) { if (error.name !== 'DataCloneError') throw error; }
}
// What is inherited is not read.
let read = 0;
Object.defineProperty(Object.prototype, 'trap', { get() { read++; }, set() { read++; }, configurable: true, enumerable: true });
both('traps', { a: [{}] });
delete Object.prototype.trap;
if (read) fail('a trap was read');
// Deep and long.
const long = JSON.parse('[' + '{"id":1,"tags":["a",{}]},'.repeat(99999) + '0]');
if (structuredClone(long).length !== 100000) fail('long');
let deep = JSON.parse('['.repeat(3000) + ']'.repeat(3000));
for (let i = 0; i < 20; i++) deep = [deep, deep];
deep = structuredClone(deep);
if (deep[0] !== deep[1] || deep[0][1] !== deep[0][0]) fail('deep');
'done';
