// SPDX-License-Identifier: Apache-2.0
// An async generator.
// args: --timeout 80ms
// outcome: deadline
// frames: items async_generator.js:8:* | ...
async function* items() {
	yield 1;
	for (;;);
}
(async () => { for await (const item of items()); })();
