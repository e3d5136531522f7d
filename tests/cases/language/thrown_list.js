// SPDX-License-Identifier: Apache-2.0
// The elements of a list are in its text; only other properties are reported beside it.
// outcome: threw
// error.name: Uncaught
// error.message: [1,{"a":2}]
// error.properties: {"more":"Map(1) { 1 => 2 }"}
throw Object.assign([1, { a: 2 }], { more: new Map([[1, 2]]) });
