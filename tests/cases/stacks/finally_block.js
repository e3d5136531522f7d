// SPDX-License-Identifier: Apache-2.0
// A finally block.
// args: --timeout 80ms
// outcome: deadline
// frames: f finally_block.js:10:* | <anonymous> finally_block.js:13:1
function f() {
	try {
		return 1;
	} finally {
		for (;;);
	}
}
f();
