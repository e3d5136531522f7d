// SPDX-License-Identifier: Apache-2.0
// Under the default --stack, recursion goes as deep as in Node, whichever way a function is called.
// outcome: ok
// value: []
const deepest = start => {
	let depth = 0;
	try {
		start(() => depth++);
	} catch (error) {
		if (error.name !== 'RangeError' || error.message !== 'Maximum call stack size exceeded') throw error;
	}
	return depth;
};
class A {
	constructor(count) {
		count();
		new A(count);
	}
}
const ways = {
	// Node 20: 12,500, 10,400, 13,900, 7,000, 4,300, 12,500, 4,800 and 3,200
	plain: [9000, count => (function f() { count(); f(); })()],
	value: [9000, count => { const f = n => (count(), n ? 1 : 1 + f(n)); f(0); }],
	method: [9000, count => { const o = { f() { count(); return this.f(); } }; o.f(); }],
	arguments: [7000, count => { const f = (a, b, c, d) => { count(); return 1 + f(a, b, c, d); }; f(1, 2, 3, 4); }],
	constructor: [4300, count => new A(count)],
	call: [9000, count => (function f() { count(); f.call(this); })()],
	template: [3500, count => { const o = { toString() { count(); return `${o}`; } }; return `${o}`; }],
	getter: [3200, count => { const o = { get x() { count(); return this.x; } }; o.x; }],
};
const tooShallow = [];
for (const [name, [least, start]] of Object.entries(ways)) {
	const depth = deepest(start);
	if (depth < least) tooShallow.push([name, depth]);
}
tooShallow;
