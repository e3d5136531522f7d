// SPDX-License-Identifier: Apache-2.0
// Cost of a call: reading a plain property, for comparison.
const object = { property: 1 };
function run(n) {
	let last;
	for (let i = 0; i < n; i++) last = object.property;
	return n;
}
run(100000);
