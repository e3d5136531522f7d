// SPDX-License-Identifier: Apache-2.0
// Of several at once none is the one that is waited for.
// outcome: unsettled
// frames: <anonymous> several.mjs:6:*
async function one() { await new Promise(() => {}); }
await Promise.all([one(), one(), 3]);
