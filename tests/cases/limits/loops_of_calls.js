// SPDX-License-Identifier: Apache-2.0
// Calls count as well as loop iterations.
// args: --loops 500
// outcome: loops
// used.loops: 500
const f = n => n > 0 ? f(n - 1) : 0;
f(200) + f(200) + f(200) + f(200);
