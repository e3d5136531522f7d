// expect: deadline
// SPDX-License-Identifier: Apache-2.0
/^(a*)*\1$/.test('a'.repeat(50) + 'b'); for (;;) /(.*)\1x/.exec('ab'.repeat(2000))
