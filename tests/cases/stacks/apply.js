// SPDX-License-Identifier: Apache-2.0
// Function.prototype.apply.
// args: --timeout 80ms
// outcome: deadline
// frames: spin apply.js:7:* | apply native | <anonymous> apply.js:9:*
function spin() {
	for (;;);
}
spin.apply(null, [1]);
