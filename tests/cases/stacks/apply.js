// SPDX-License-Identifier: Apache-2.0
// Function.prototype.apply.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: spin apply.js:7:* | apply native | <anonymous> apply.js:9:*
function spin() {
	for (;;);
}
spin.apply(null, [1]);
