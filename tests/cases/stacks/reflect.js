// SPDX-License-Identifier: Apache-2.0
// Reflect.construct.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: spin reflect.js:7:* | construct native | <anonymous> reflect.js:9:*
function spin() {
	for (;;);
}
Reflect.construct(spin, []);
