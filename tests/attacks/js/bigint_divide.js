// expect: deadline
// SPDX-License-Identifier: Apache-2.0
const a = (1n << 1000000n) - 1n, b = (1n << 500000n) - 1n; for (;;) { a / b; a % (b >> 99n) }
