// SPDX-License-Identifier: Apache-2.0
// Before its first await it has its caller.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: work async_before_await.js:7:* | <anonymous> async_before_await.js:9:1
async function work() {
	for (;;);
}
work();
