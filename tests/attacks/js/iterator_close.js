// expect: deadline
const endless = { [Symbol.iterator]: () => ({ next: () => ({ done: false }), return() { for (;;); } }) }
for (const x of endless) break
