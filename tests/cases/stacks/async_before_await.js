// SPDX-License-Identifier: Apache-2.0
// Before its first await it has its caller.
// args: --timeout 80ms
// outcome: deadline
// frames: work async_before_await.js:7:* | <anonymous> async_before_await.js:9:1
async function work() {
	for (;;);
}
work();
