// SPDX-License-Identifier: Apache-2.0
// Greets the person that its parameter names: curfew run --print examples/hello.js World

const greeting = `Hello, ${curfew.params[0] ?? 'you'}!`;
console.log(greeting);
greeting.length;
