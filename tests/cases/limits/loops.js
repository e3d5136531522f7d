// SPDX-License-Identifier: Apache-2.0
// args: --loops 1000
// outcome: loops
// tripped: loops
// used.loops: 1000
// frames: <anonymous> loops.js:7:*
for (;;);
