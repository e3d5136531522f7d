// SPDX-License-Identifier: Apache-2.0
// A case of a switch.
// args: --timeout 80ms
// outcome: deadline
// frames: f switch.js:9:* | <anonymous> switch.js:12:1
function f(x) {
	switch (x) {
	case 1:
		for (;;);
	}
}
f(1);
