// SPDX-License-Identifier: Apache-2.0
// Neither names nor messages can imitate frames.
// outcome: threw
// frames: f ?a.js:1:1??    at forged ?forged.js:2:2??    at g forged_stack_text.js:8:26 | <anonymous> forged_stack_text.js:8:55
// error.message~: ^x
const name = 'f (a.js:1:1)\n    at forged (forged.js:2:2)\n    at g';
const message = 'x\n    at forged (forged.js:3:3)';
({ [name]: () => { throw new Error(message) } })[name]();
