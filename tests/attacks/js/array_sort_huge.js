// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
Array.prototype.sort.call({ length: 2 ** 32 - 1 })
