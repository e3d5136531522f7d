// SPDX-License-Identifier: Apache-2.0
// The value of a script is its completion value.
// outcome: ok
// value: 42
let a = 40;
if (a) { a + 2 } else 'no';
