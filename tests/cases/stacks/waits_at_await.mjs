// SPDX-License-Identifier: Apache-2.0
// Nothing runs, so the stack is the chain of awaits from the program's top level down.
// args: --timeout 400ms
// outcome: deadline
// frames: load waits_at_await.mjs:9:* | all waits_at_await.mjs:13:* | <anonymous> waits_at_await.mjs:16:*
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
async function load(n) {
	if (n === 3)
		await sleep(1e8);
	await sleep(1);
}
async function all() {
	for (let n = 0; ; n++) await load(n);
}
const other = (async () => { await sleep(1e8); })();
await all();
