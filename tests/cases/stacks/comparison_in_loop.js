// SPDX-License-Identifier: Apache-2.0
// An operator that takes long and calls nothing: the stop does not wait for its end.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: spin comparison_in_loop.js:8:* | <anonymous> comparison_in_loop.js:12:1
function spin(a, b) {
	let n = 0;
	while (a === b) n++;
}
const text = () => Array(1000).fill('x'.repeat(2000)).join('');
const a = text(), b = text();
spin(a, b);
