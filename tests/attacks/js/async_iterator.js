// expect: deadline
const endless = { [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 1, done: false }), return: () => new Promise(() => {}) }) }
for await (const x of endless) x; export {}
