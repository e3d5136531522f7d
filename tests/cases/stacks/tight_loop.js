// SPDX-License-Identifier: Apache-2.0
// The top frame of a tight loop.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: spin tight_loop.js:9:* | <anonymous> tight_loop.js:12:1
function spin() {
	let n = 0;
	while (true) {
		n++;
	}
}
spin();
