// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// frames: real forged_stack_property.js:5:47 | <anonymous> forged_stack_property.js:6:1
// error.message: x
function real() { throw Object.defineProperty(new Error('x'), 'stack', { value: '    at forged (forged.js:1:1)\n' }) }
real();
