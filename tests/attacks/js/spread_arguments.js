// expect: deadline threw stack memory
for (;;) try { Math.max(...new Array(10 ** 6).fill(0)); String.fromCharCode.apply(null, { length: 2 ** 32 - 1 }) } catch {}
