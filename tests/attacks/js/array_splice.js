// expect: deadline threw
// SPDX-License-Identifier: Apache-2.0
Array.prototype.splice.call({ length: 2 ** 53 - 2 }, 0, 1, 2, 3)
