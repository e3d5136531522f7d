// SPDX-License-Identifier: Apache-2.0
// flatMap closes an inner iterator that it leaves early, and none that has ended by itself.
// outcome: ok
// value: [[0,1],0,0,1]
const closed = [0, 0];
function inner(number, ends) {
	return { next: () => ({ done: ends-- <= 0, value: number }), return: () => { closed[number]++; return {}; }, [Symbol.iterator]() { return this; } };
}
const all = [0, 1].values().flatMap((number) => inner(number, 1)).toArray();
const before = closed[0] + closed[1];
const left = [0, 1].values().flatMap((number) => inner(number, number === 0 ? 0 : Infinity));
left.next();
left.return();
[all, before, ...closed];
