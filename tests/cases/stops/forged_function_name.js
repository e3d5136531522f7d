// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: f ?a.js:1:1??    at forged ?forged.js:2:2??    at g forged_function_name.js:6:* | <anonymous> forged_function_name.js:7:*
const name = 'f (a.js:1:1)\n    at forged (forged.js:2:2)\n    at g';
const o = { [name]() { for (;;); } };
o[name]();
