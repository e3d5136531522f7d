// SPDX-License-Identifier: Apache-2.0
// args: --deterministic --loops 12345
// outcome: loops
// run: twice
// used.loops: 12345
let i = 0;
for (; ; i++) if (i % 1000 === 0) curfew.checkpoint(i / 1000);
