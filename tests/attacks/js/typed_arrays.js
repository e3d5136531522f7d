// expect: deadline
// SPDX-License-Identifier: Apache-2.0
const a = new Float64Array(2 ** 21); for (;;) { a.fill(NaN); a.set(a.subarray(1)); a.sort(); a.reverse() }
