// expect: output memory deadline
console.log(Array.from({ length: 1e6 }, (_, i) => ({ i }))); for (;;) console.log(new Map([[{}, 'x'.repeat(2 ** 16)]]))
