// SPDX-License-Identifier: Apache-2.0
// Recursion that is too deep throws an exception that a program may catch.
// outcome: ok
// value: ["RangeError",true]
let depth = 0, seen;
(function f() { depth++; try { f() } catch (error) { seen ??= error.name } })();
[seen, depth > 100];
