// SPDX-License-Identifier: Apache-2.0
// Cloning with structuredClone: the results, values that cannot be cloned, and transfer.
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
const clone = structuredClone;
for (const value of [1, -0, NaN, 'x', '', true, null, undefined, 10n])
	same(Object.is(clone(value), value), true, `primitive ${String(value)}`);

const object = { a: 1, b: { c: [1, , 3] }, ['__proto__']: 'own' };
const copy = clone(object);
same(copy, object, 'an object');
same(copy !== object && copy.b !== object.b && copy.b.c !== object.b.c, true, 'new objects');
same([1 in copy.b.c, copy.b.c.length, Array.isArray(copy.b.c)], [false, 3, true], 'a hole');
same([Object.hasOwn(copy, '__proto__'), Object.getPrototypeOf(copy) === Object.prototype], [true, true],
	'__proto__ as a key');
same(Object.keys(clone(Object.assign([1], { x: 2 }))), ['0', 'x'], 'other keys of an array');

const circle = { list: [] };
circle.self = circle;
circle.list.push(circle, circle.list);
const round = clone(circle);
same([round.self === round, round.list[0] === round, round.list[1] === round.list], [true, true, true], 'circles');
const shared = {};
const twice = clone([shared, shared]);
same(twice[0] === twice[1], true, 'identity');

const map = clone(new Map([[{ k: 1 }, new Set([1, 'a'])], ['x', new Map()]]));
same([map instanceof Map, map.size, [...map.keys()][0], [...[...map.values()][0]]], [true, 2, { k: 1 }, [1, 'a']],
	'map and set');
const selfMap = new Map();
selfMap.set(selfMap, selfMap);
const selfCopy = clone(selfMap);
same(selfCopy.get(selfCopy) === selfCopy, true, 'a map in itself');

same(clone(new Date(5)).getTime(), 5, 'date');
same(Number.isNaN(clone(new Date(NaN)).getTime()), true, 'invalid date');
const regexp = /a(?<n>b)/giy;
regexp.lastIndex = 3;
same([`${clone(regexp)}`, clone(regexp).lastIndex], ['/a(?<n>b)/giy', 0], 'regular expression');
for (const box of [new Number(1), new String('ab'), new Boolean(false), Object(3n)]) {
	const boxCopy = clone(box);
	same([typeof boxCopy, boxCopy.valueOf() === box.valueOf(), boxCopy.constructor === box.constructor], ['object', true,
		true], 'box');
}

const error = new RangeError('message', { cause: { why: 1 } });
error.extra = 1;
const errorCopy = clone(error);
same([errorCopy instanceof RangeError, errorCopy.name, errorCopy.message, errorCopy.cause, errorCopy.extra,
	errorCopy.stack === error.stack],
	[true, 'RangeError', 'message', { why: 1 }, undefined, true], 'error');
const named = new Error('x');
named.name = 'Custom';
same(clone(named).name, 'Error', 'an unknown name of an error');
class Special extends TypeError { }
same([clone(new Special('s')).constructor === TypeError, Object.hasOwn(clone(new Error()), 'message')], [true, false],
	'subclass of an error');
const dom = clone(new DOMException('m', 'AbortError'));
same([dom.name, dom.message, dom.code, dom instanceof DOMException], ['AbortError', 'm', 20, true], 'DOMException');

const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
const views = clone({ a: new Uint8Array(buffer, 1, 2), b: new Uint16Array(buffer, 2), c: new DataView(buffer, 3, 4),
	d: new Uint8ClampedArray(1) });
same([[...views.a], views.b.length, views.c.getUint8(0), views.c.byteLength, views.d.constructor.name], [[2, 3], 3, 4,
	4, 'Uint8ClampedArray'], 'views');
same([views.a.buffer === views.b.buffer, views.a.buffer === buffer, views.a.buffer.byteLength], [true, false, 8],
	'one buffer');
const resizable = clone(new ArrayBuffer(2, { maxByteLength: 8 }));
same([resizable.resizable, resizable.maxByteLength, resizable.byteLength], [true, 8, 2], 'resizable');

class Point { constructor() { this.x = 1; } get y() { return 2; } }
same([clone(new Point()), clone(new Point()).constructor === Object], [{ x: 1 }, true], 'instance');
same(clone({ get a() { return 5; } }), { a: 5 }, 'getter');
same(Object.getOwnPropertySymbols(clone({ [Symbol('s')]: 1 })).length, 0, 'symbol keys');
same(clone((function () { return arguments; })(1, 2)), { 0: 1, 1: 2 }, 'arguments');
const order = [];
clone({ get a() { order.push('a'); return { get b() { order.push('b'); return 1; } }; },
	get c() { order.push('c'); return 1; } });
same(order, ['a', 'b', 'c'], 'order of getters');

for (const [what, value] of Object.entries({
	function: () => 1, symbol: Symbol('x'), nested: { a: [() => 1] }, weakMap: new WeakMap(), weakSet: new WeakSet(),
	promise: Promise.resolve(), generator: (function* () { })(), proxy: new Proxy({}, {}),
		boxedSymbol: Object(Symbol('x')),
	event: new Event('x'), url: new URL('http://h'), signal: new AbortController().signal, weakRef: new WeakRef({}),
	iterator: [][Symbol.iterator](),
}))
	throws(() => clone(value), 'DataCloneError', what);
throws(() => clone(), 'TypeError', 'an argument is needed');
throws(() => clone({ get a() { throw new RangeError('from a getter'); } }), 'RangeError', 'what a getter throws');

const moved = new ArrayBuffer(4);
new Uint8Array(moved)[0] = 9;
const view = new Uint8Array(moved);
const result = clone({ view, moved }, { transfer: [moved] });
same([moved.byteLength, moved.detached, view.length, result.view[0], result.moved.byteLength,
	result.view.buffer === result.moved],
	[0, true, 0, 9, 4, true], 'transfer');
throws(() => clone(1, { transfer: [moved] }), 'DataCloneError', 'a detached buffer');
throws(() => clone(moved), 'DataCloneError', 'clone of a detached buffer');
const once = new ArrayBuffer(1);
throws(() => clone(1, { transfer: [once, once] }), 'DataCloneError', 'listed twice');
throws(() => clone(1, { transfer: [{}] }), 'DataCloneError', 'not transferable');
throws(() => clone(1, { transfer: 5 }), 'TypeError', 'not a list');
throws(() => clone(() => 1, { transfer: [once] }), 'DataCloneError', 'an error before the transfer');
same(once.detached, false, 'nothing moved after an error');

// Only memory limits the depth.
let deep = {};
const bottom = deep;
for (let i = 0; i < 20000; i++)
	deep = { deep };
let level = clone(deep), levels = 0;
for (; level.deep; level = level.deep)
	levels++;
same([levels, level !== bottom], [20000, true], 'deep');
same(clone(Array.from({ length: 20000 }, (_, i) => ({ i })))[19999], { i: 19999 }, 'wide');
