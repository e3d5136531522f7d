// SPDX-License-Identifier: Apache-2.0
// args: --loops 6
// outcome: loops
// used.loops: 6
// The promise jobs after the last statement count, and the limit holds for them: the run uses nine.
await 1;
