// expect: deadline
// SPDX-License-Identifier: Apache-2.0
/(?<=(a+)+b)c/.test('a'.repeat(60) + 'c'.repeat(60)); for (;;) /(?<=^(?:a+)+)b/.test('c' + 'a'.repeat(200) + 'b')
