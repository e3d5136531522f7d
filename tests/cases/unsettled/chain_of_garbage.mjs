// SPDX-License-Identifier: Apache-2.0
// The whole chain is garbage, innermost first, with functions that only waited for each other.
// outcome: unsettled
// frames: ask chain_of_garbage.mjs:6:* | each chain_of_garbage.mjs:7:* | main chain_of_garbage.mjs:8:* | <anonymous> chain_of_garbage.mjs:9:*
const soon = () => new Promise((done) => setTimeout(done, 1));
async function ask() { await soon(); await new Promise((resolve) => { /* forgotten */ }); }
async function each() { for (const n of [1, 2]) { await ask(n); } }
async function main() { await null; await each(); }
await main();
