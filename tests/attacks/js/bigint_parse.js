// expect: deadline
// SPDX-License-Identifier: Apache-2.0
for (;;) BigInt('9'.repeat(300000))
