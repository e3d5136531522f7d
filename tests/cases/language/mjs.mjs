// SPDX-License-Identifier: Apache-2.0
// What ends in .mjs is a module in any case.
// outcome: ok
// value: true
export default (function () { return this === undefined })();
