// SPDX-License-Identifier: Apache-2.0
// A bound function.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: spin bound.js:7:* | <anonymous> bound.js:9:*
function spin() {
	for (;;);
}
spin.bind(null, 1)();
