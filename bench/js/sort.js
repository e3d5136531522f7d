// SPDX-License-Identifier: Apache-2.0
// A builtin that calls back: sorting 100,000 numbers with a comparison function.
function run() {
	let a = [];
	let x = 12345;
	for (let i = 0; i < 100000; i++) { x = (x * 1103515245 + 12345) & 0x7fffffff; a.push(x); }
	a.sort((p, q) => p - q);
	return a[500];
}
run();
