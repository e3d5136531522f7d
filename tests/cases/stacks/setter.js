// SPDX-License-Identifier: Apache-2.0
// A setter.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: set busy setter.js:8:* | <anonymous> setter.js:11:*
const o = {
	set busy(value) {
		for (;;);
	},
};
o.busy = 1;
