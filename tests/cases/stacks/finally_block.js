// SPDX-License-Identifier: Apache-2.0
// A finally block.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: f finally_block.js:10:* | <anonymous> finally_block.js:13:1
function f() {
	try {
		return 1;
	} finally {
		for (;;);
	}
}
f();
