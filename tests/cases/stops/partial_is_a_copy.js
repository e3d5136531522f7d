// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// partial: {"a":1}
const o = { a: 1 };
curfew.checkpoint(o);
o.a = 2;
