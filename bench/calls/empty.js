// SPDX-License-Identifier: Apache-2.0
// Cost of a call: the loop alone, to be subtracted from the others.
function run(n) {
	let last;
	for (let i = 0; i < n; i++) last = 0;
	return n;
}
run(100000);
