// SPDX-License-Identifier: Apache-2.0
// A static block of a class.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: <anonymous> static_block.js:8:* | <anonymous> static_block.js:*:* | <anonymous> static_block.js:6:1
class A {
	static {
		for (;;);
	}
}
