// expect: deadline
for (;;) ((1n << 900000n) - 1n).toString()
