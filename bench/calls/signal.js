// SPDX-License-Identifier: Apache-2.0
// Cost of a call: reading the signal.
function run(n) {
	let last;
	for (let i = 0; i < n; i++) last = curfew.signal.aborted;
	return n;
}
run(100000);
