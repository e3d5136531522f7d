// expect: deadline ok
// SPDX-License-Identifier: Apache-2.0
Promise.prototype.then = function () { return new Promise(() => {}) }; Object.prototype.then = function (resolve) { resolve(this) }; ({ a: 1 })
