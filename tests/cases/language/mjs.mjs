// SPDX-License-Identifier: Apache-2.0
// A file that ends in .mjs is always a module.
// outcome: ok
// value: true
export default (function () { return this === undefined })();
