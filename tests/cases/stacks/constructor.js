// SPDX-License-Identifier: Apache-2.0
// A constructor.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: Busy constructor.js:8:* | <anonymous> constructor.js:11:*
class Busy {
	constructor() {
		for (;;);
	}
}
new Busy();
