// SPDX-License-Identifier: Apache-2.0
// The inner function is garbage. The outer one waits for its promise, which is still referenced.
// outcome: unsettled
// frames: inner half_held.mjs:5:* | <anonymous> half_held.mjs:7:*
async function inner() { await null; await new Promise(() => {}); }
const kept = inner();
await kept;
