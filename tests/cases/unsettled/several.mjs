// SPDX-License-Identifier: Apache-2.0
// If the program waits for several functions at once, none of them is shown.
// outcome: unsettled
// frames: <anonymous> several.mjs:6:*
async function one() { await new Promise(() => {}); }
await Promise.all([one(), one(), 3]);
