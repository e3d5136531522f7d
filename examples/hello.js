// SPDX-License-Identifier: Apache-2.0
// Greets whoever is named: curfew run --print examples/hello.js World

const greeting = `Hello, ${curfew.params[0] ?? 'you'}!`;
console.log(greeting);
greeting.length;
