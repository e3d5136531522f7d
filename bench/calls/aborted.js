// SPDX-License-Identifier: Apache-2.0
// Cost of a call: reading a signal that is in a variable.
const { signal } = curfew;
function run(n) {
	let last;
	for (let i = 0; i < n; i++) last = signal.aborted;
	return n;
}
run(100000);
