// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
let a = 3n ** 200000n; for (;;) a = (a * a) & ((1n << 300000n) - 1n)
