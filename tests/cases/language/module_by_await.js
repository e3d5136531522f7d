// SPDX-License-Identifier: Apache-2.0
// Top-level await makes the program a module.
// outcome: ok
// value: null
// stdout: 1
console.log(await Promise.resolve(1));
