// SPDX-License-Identifier: Apache-2.0
// Only the innermost of many frames are reported.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: f deep.js:7:* | f deep.js:8:* | f deep.js:8:* | ...
function f(n) {
	if (n === 0) for (;;);
	f(n - 1);
}
f(500);
