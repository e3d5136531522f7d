// SPDX-License-Identifier: Apache-2.0
// The innermost of several loops.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: spin nested_loops.js:9:* | <anonymous> nested_loops.js:15:1
function spin() {
	for (let i = 0; i < 10; i++) {
		for (let k = 0; k < 10; k++) {
			while (k >= 0) {
			}
		}
	}
}

spin();
