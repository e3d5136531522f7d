// SPDX-License-Identifier: Apache-2.0
// A removed listener takes no error.
// args: --node
// outcome: threw
// error.message: second
// stdout: first was taken
const seen = [];
process.once('uncaughtException', (error) => console.log('first was taken'));
setTimeout(() => { throw new Error('first'); }, 0);
setTimeout(() => { throw new Error('second'); }, 5);
