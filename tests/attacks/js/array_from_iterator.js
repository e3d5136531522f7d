// expect: deadline memory
Array.from({ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }, () => ({ a: [] }))
