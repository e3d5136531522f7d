// SPDX-License-Identifier: Apache-2.0
// The line of a function without a name is its place in error.stack, as in V8.
// outcome: ok
// value: ["at places_without_names.mjs:6:30","at named (places_without_names.mjs:7:27)","at places_without_names.mjs:8:76"]
const first = (error) => error.stack.split('\n')[1].trim();
const unnamed = (() => () => new Error('a'))();
function named() { return new Error('b'); }
export default [first(unnamed()), first(named()), first(await (async () => new Error('c'))().then((e) => e, () => 0))];
