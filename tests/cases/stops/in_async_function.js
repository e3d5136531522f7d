// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: work in_async_function.js:8:* | ...
// stdout~: ^$
async function work() {
	await null;
	for (;;);
}
work().catch(() => console.log('caught')).finally(() => console.log('finally'));
