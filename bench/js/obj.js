// SPDX-License-Identifier: Apache-2.0
// Short-lived strings, and a Map with objects.
function run() {
	let map = new Map();
	for (let i = 0; i < 200000; i++) {
		let k = 'k' + (i % 5000);
		let o = map.get(k) || { n: 0, s: 0 };
		o.n++;
		o.s += i * 1.5;
		map.set(k, o);
	}
	let total = 0;
	for (const [k, v] of map) total += v.s / v.n;
	return total;
}
run();
