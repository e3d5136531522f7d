// expect: deadline
// SPDX-License-Identifier: Apache-2.0
Array.prototype.fill.call(new Proxy({ length: 2 ** 53 - 1 }, { set: () => true }), 0)
