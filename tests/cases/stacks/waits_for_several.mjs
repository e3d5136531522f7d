// SPDX-License-Identifier: Apache-2.0
// If the program waits for several functions at once, none of them is shown.
// args: --timeout 400ms
// outcome: deadline
// frames: <anonymous> waits_for_several.mjs:8:*
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
async function one(n) { await sleep(1e8 + n); }
await Promise.all([1, 2, 3].map(one));
