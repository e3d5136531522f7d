// expect: deadline
// SPDX-License-Identifier: Apache-2.0
for (let i = 0n; ; i++) BigInt.asIntN(1000000, -(1n << 1000000n) + i) ^ BigInt.asUintN(999999, -i)
