// expect: deadline
// SPDX-License-Identifier: Apache-2.0
const s = 'a'.repeat(2 ** 22); for (;;) (s + 'c').indexOf('a'.repeat(2 ** 21) + 'b')
