// SPDX-License-Identifier: Apache-2.0
// An async function has no caller after its first await.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: work async_after_await.js:8:*
async function work() {
	await null;
	for (;;);
}
work();
