// expect: deadline
for (;;) try { 7n ** 330000n; 2n ** 30000000n } catch {}
