// SPDX-License-Identifier: Apache-2.0
// args: --loops 10k
// outcome: ok
// value: 100
// used.loops: < 1000
let n = 0;
for (let i = 0; i < 100; i++) n++;
n;
