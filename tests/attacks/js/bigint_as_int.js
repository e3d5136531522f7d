// expect: deadline
for (let i = 0n; ; i++) BigInt.asIntN(1000000, -(1n << 1000000n) + i) ^ BigInt.asUintN(999999, -i)
