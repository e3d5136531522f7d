// SPDX-License-Identifier: Apache-2.0
// The fast path of JSON.stringify gives the same text as the engine's own code, which a second or third argument selects.
// outcome: ok
// value: "done"
function Point() { this.x = 1; }
Point.prototype.y = 2;
const circular = {};
circular.self = { circular };
let deep = 1, deepArray = [];
for (let i = 0; i < 200; i++) {
	deep = { deep };
	deepArray = [deepArray];
}
const deleted = { a: 1, b: 2, c: 3 };
delete deleted.b;
deleted.d = 4;
const sparse = [1, 2];
sparse.length = 5;
const named = [1];
named.name = 'n';
const hidden = Object.defineProperty({ shown: 1 }, 'hidden', { value: 2 });
const frozen = Object.freeze({ a: [Object.freeze([1])] });
const many = {};
for (let i = 0; i < 3000; i++)
	many['key' + i] = { i, text: 'value ' + i };
let rope = '';
for (let i = 0; i < 100; i++)
	rope += 'piece " ' + i + '\n';
const values = [
	{}, [], [[]], [{}], { a: {} }, { a: 1, b: -1.5, c: 1e300, d: -0, e: NaN, f: -Infinity, g: 2 ** 31, h: 5e-324, i: 2147483647 },
	{ u: undefined, f() {}, s: Symbol('s'), [Symbol('k')]: 1, n: null, t: true, b: false },
	[undefined, () => 1, Symbol('s'), null, true, false, 0],
	{ 2: 'two', b: 1, 1: 'one', a: 2, '-1': 3, '01': 4, 4294967295: 5, 4294967294: 6, '': 7 },
	{ text: '"\\/\b\f\n\r\t\u0000\u001f\u007f\u0080\u00ff', '"\\\n': 1, '\u00e9': 2 },
	{ wide: '\u20ac \ud83d\ude00', lone: '\ud800', other: 'x\udc00', '\u20ac': 1, '\ud800': 2 },
	[new Date(0), new Map([[1, 2]]), new Set([1]), /x/, new Error('e'), new Uint8Array(3), new Point()],
	[Object('s'), Object(1), Object(true), [Object(Symbol('s'))], new Proxy({ a: 1 }, {}), new Proxy([1], {})],
	{ get a() { return { b: [1] }; }, toString: 1 }, { toJSON() { return 'own'; } }, [{ toJSON: 1 }], { toJSON: undefined, a: 1 },
	Object.create(null), Object.assign(Object.create(null), { a: 1 }), Object.create({ inherited: 1 }), [Object.create([])],
	deleted, sparse, [, 1, , 2], named, hidden, frozen, many, deep, deepArray, { rope, [rope]: 1 }, rope, 'text', 1, null, undefined, true,
	(function () { return arguments; })(1, 2), [[1, [2, [3, { a: [4] }]]]], globalThis.JSON, Math, Object.prototype, Array.prototype,
	{ __proto__: null, a: { __proto__: [] } }, Object.defineProperty([], 'x', { value: 1 }), Array(3), [1n].length,
];

const textOf = (value, ...more) => {
	try {
		return JSON.stringify(value, ...more);
	} catch (error) {
		return error.name + ': ' + error.message;
	}
};
function compare(when) {
	for (const value of [...values, values, circular, [1n], { big: 1n }]) {
		const quick = textOf(value), slow = textOf(value, undefined, '');
		if (quick !== slow)
			throw new Error(when + ': ' + quick + ' is not ' + slow);
	}
}
compare('plain');
Object.prototype.toJSON = function () { return Array.isArray(this) ? 'array' : 'object'; };
compare('toJSON of all objects');
delete Object.prototype.toJSON;
Array.prototype.toJSON = function () { return 'list'; };
compare('toJSON of arrays');
delete Array.prototype.toJSON;
Object.setPrototypeOf(Array.prototype, { toJSON() { return 'inherited'; } });
compare('toJSON behind arrays');
Object.setPrototypeOf(Array.prototype, Object.prototype);
Object.defineProperty(Object.prototype, 'toJSON', { get() { return () => 'got'; }, configurable: true });
compare('a getter');
delete Object.prototype.toJSON;
compare('plain again');
'done';
