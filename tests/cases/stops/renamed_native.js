// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: indexOf native | <anonymous> renamed_native.js:7:*
Object.defineProperty(Array.prototype.indexOf, 'name', { value: 'innocent' });
Function.prototype.call.name = 'x';
[].indexOf.call({ length: 2 ** 53 - 1 }, 1);
