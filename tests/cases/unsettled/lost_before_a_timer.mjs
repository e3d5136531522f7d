// SPDX-License-Identifier: Apache-2.0
// Stopped while it waits for a timer that brings nothing, the garbage that it awaits is still shown.
// args: --timeout 150ms
// outcome: deadline
// frames: ask lost_before_a_timer.mjs:7:* | <anonymous> lost_before_a_timer.mjs:8:*
setInterval(() => {}, 1e7);
async function ask() { await new Promise(() => {}); }
await ask();
