// SPDX-License-Identifier: Apache-2.0
// An iterator that a spread reads.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: next spread.js:6:* | * spread.js:7:*
const endless = { [Symbol.iterator]: () => ({ next() { for (;;); } }) };
Math.max(...endless);
