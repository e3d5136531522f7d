// SPDX-License-Identifier: Apache-2.0
// An async generator.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: items async_generator.js:8:* | ...
async function* items() {
	yield 1;
	for (;;);
}
(async () => { for await (const item of items()); })();
