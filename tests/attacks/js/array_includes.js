// expect: deadline
// SPDX-License-Identifier: Apache-2.0
for (;;) Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 0)
