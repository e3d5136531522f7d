// SPDX-License-Identifier: Apache-2.0
// The promise is still referenced, so the function still waits.
// outcome: unsettled
// frames: wait held.mjs:6:* | <anonymous> held.mjs:7:*
const kept = new Promise(() => {});
async function wait() { await kept; }
await wait();
