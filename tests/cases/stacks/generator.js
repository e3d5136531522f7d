// SPDX-License-Identifier: Apache-2.0
// A generator after it has yielded.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: numbers generator.js:8:* | <anonymous> generator.js:11:*
function* numbers() {
	yield 1;
	for (;;);
}
const seen = [];
for (const n of numbers()) seen.push(n);
