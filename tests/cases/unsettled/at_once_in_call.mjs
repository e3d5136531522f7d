// SPDX-License-Identifier: Apache-2.0
// The function is garbage before its caller has its promise. Others became garbage before and after it.
// args: --call main
// outcome: unsettled
// frames: inner at_once_in_call.mjs:7:* | other at_once_in_call.mjs:8:*
async function lost(n) { await new Promise(() => {}); }
async function inner() { await new Promise(() => {}); }
async function other() { return 1 + await inner(); }
export function main() { for (let n = 0; n < 3; n++) lost(n); const promise = other(); for (let n = 0; n < 5; n++) lost(n); return promise; }
