// expect: deadline
// SPDX-License-Identifier: Apache-2.0
/^([\w\s]|\p{L})+$/iu.test('aB'.repeat(30) + '!')
