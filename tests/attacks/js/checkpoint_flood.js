// expect: host_calls memory
const big = 'x'.repeat(2 ** 12); for (;;) curfew.checkpoint({ big })
