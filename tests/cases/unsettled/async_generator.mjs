// SPDX-License-Identifier: Apache-2.0
// stdout: 1
// outcome: unsettled
// frames: <anonymous> async_generator.mjs:6:*
async function* numbers() { yield 1; await new Promise(() => {}); }
for await (const n of numbers()) console.log(n);
