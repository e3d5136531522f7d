// SPDX-License-Identifier: Apache-2.0
// A case of a switch.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: f switch.js:9:* | <anonymous> switch.js:12:1
function f(x) {
	switch (x) {
	case 1:
		for (;;);
	}
}
f(1);
