// SPDX-License-Identifier: Apache-2.0
// A function made from text.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: anonymous <input>:3:9 | <anonymous> new_function.js:7:1
const f = new Function('for (;;);');
f();
