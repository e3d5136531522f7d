// SPDX-License-Identifier: Apache-2.0
// An iterator that a spread reads.
// args: --timeout 80ms
// outcome: deadline
// frames: next spread.js:6:* | * spread.js:7:*
const endless = { [Symbol.iterator]: () => ({ next() { for (;;); } }) };
Math.max(...endless);
