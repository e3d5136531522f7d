// SPDX-License-Identifier: Apache-2.0
// An async function has no caller after its first await.
// args: --timeout 80ms
// outcome: deadline
// frames: work async_after_await.js:8:*
async function work() {
	await null;
	for (;;);
}
work();
