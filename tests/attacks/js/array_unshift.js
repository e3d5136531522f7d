// expect: deadline
// SPDX-License-Identifier: Apache-2.0
Array.prototype.unshift.call({ length: 2 ** 53 - 10 }, 1)
