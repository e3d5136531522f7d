// SPDX-License-Identifier: Apache-2.0
// A constructor.
// args: --timeout 80ms
// outcome: deadline
// frames: Busy constructor.js:8:* | <anonymous> constructor.js:11:*
class Busy {
	constructor() {
		for (;;);
	}
}
new Busy();
