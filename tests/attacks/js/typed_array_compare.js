// expect: deadline
new Uint32Array(2 ** 20).sort(() => { for (;;); })
