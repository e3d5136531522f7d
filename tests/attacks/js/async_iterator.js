// expect: deadline
// SPDX-License-Identifier: Apache-2.0
const endless = { [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 1, done: false }), return: () => new Promise(() => {}) }) }
for await (const x of endless) x; export {}
