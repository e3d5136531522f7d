// expect: deadline
// SPDX-License-Identifier: Apache-2.0
Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 5)
