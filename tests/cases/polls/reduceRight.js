// SPDX-License-Identifier: Apache-2.0
// A builtin that goes through elements and calls the engine's poll meanwhile.
// args: --timeout 80ms
// outcome: deadline
// frames: ...
// used.loops: > 1000
const huge = { length: 2 ** 53 - 1 };
[].reduceRight.call(huge, () => 1, 0);
