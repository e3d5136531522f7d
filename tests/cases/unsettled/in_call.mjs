// SPDX-License-Identifier: Apache-2.0
// args: --call main
// outcome: unsettled
// frames: inner in_call.mjs:5:* | main in_call.mjs:6:*
async function inner() { await new Promise(() => {}); }
export async function main() { return 1 + await inner(); }
