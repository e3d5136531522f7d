// SPDX-License-Identifier: Apache-2.0
// A function made from text.
// args: --timeout 80ms
// outcome: deadline
// frames: anonymous <input>:3:5 | <anonymous> new_function.js:7:1
const f = new Function('for (;;);');
f();
