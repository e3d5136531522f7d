// SPDX-License-Identifier: Apache-2.0
// Math.hypot has the results of Node to the last digit.
// outcome: ok
// value: "[512049765,\"abc\",\"TypeError TypeError TypeError TypeError TypeError TypeError Error Error Error\",[\"0\",\"0\",\"3\",\"Infinity\",\"5\",\"1.4142135623730951e+308\",\"1.414e-320\",\"0.37416573867739417\"],[\"NaN\",\"true\",\"632.4555320336759\"]]"
let seed = 7;
const random = () => {
	seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
	return seed / 4294967296;
};
const doubles = new Float64Array(1);
const halves = new Uint32Array(doubles.buffer);
const scales = [1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4];
let hash = 0;
for (let i = 0; i < 3000; i++) {
	const values = Array.from({ length: i % 12 }, () => (random() - 0.5) * scales[Math.floor(random() * 9)]);
	doubles[0] = Math.hypot(...values);
	for (const half of halves) hash = (Math.imul(hash, 31) + half) | 0;
}
const order = [];
const number = (name, value) => ({ valueOf: () => (order.push(name), value) });
Math.hypot(number('a', NaN), number('b', Infinity), number('c', 1));
const refused = [];
for (const value of [1n, Symbol('s'), { valueOf() { throw new Error('mine'); } }]) {
	for (const before of [[], [NaN], Array(20).fill(1)]) {
		try {
			Math.hypot(...before, value, number('never', 1));
			refused.push('none');
		} catch (error) {
			refused.push(error.name);
		}
	}
}
JSON.stringify([
	hash,
	order.join(''),
	refused.join(' '),
	[Math.hypot(), Math.hypot(-0), Math.hypot(-3), Math.hypot(NaN, -Infinity), Math.hypot('3', [4]), Math.hypot(1e308, 1e308), Math.hypot(1e-320, 1e-320), Math.hypot(0.1, 0.2, 0.3)].map(String),
	[Math.hypot(NaN, 1), Object.is(Math.hypot(-0, -0), 0), Math.hypot(...Array(100000).fill(2))].map(String),
]);
