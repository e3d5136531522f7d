// SPDX-License-Identifier: Apache-2.0
// If the program is stopped while it waits for a useless timer, the garbage that it awaits is still shown.
// args: --timeout 400ms
// outcome: deadline
// frames: ask lost_before_a_timer.mjs:7:* | <anonymous> lost_before_a_timer.mjs:8:*
setInterval(() => {}, 1e7);
async function ask() { await new Promise(() => {}); }
await ask();
