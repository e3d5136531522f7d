// SPDX-License-Identifier: Apache-2.0
// Collections do not change the order, and ended functions are not part of it.
// args: --timeout 2s
// outcome: deadline
// frames: last waits_after_garbage.mjs:9:* | <anonymous> waits_after_garbage.mjs:14:*
const kept = [];
const soon = (ms) => new Promise((done) => setTimeout(done, ms));
async function short(n) { await null; kept[n % 1000] = { n, list: new Array(20).fill(n) }; }
async function last() { await soon(1e8); }

for (let n = 0; n < 5000; n++)
	await short(n);

await last();
