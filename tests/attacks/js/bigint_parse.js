// expect: deadline
for (;;) BigInt('9'.repeat(300000))
