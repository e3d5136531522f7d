// expect: output memory deadline
// SPDX-License-Identifier: Apache-2.0
console.log(Array.from({ length: 1e6 }, (_, i) => ({ i }))); for (;;) console.log(new Map([[{}, 'x'.repeat(2 ** 16)]]))
