// expect: deadline
// SPDX-License-Identifier: Apache-2.0
const huge = { length: 2 ** 53 - 1 }; const a = Array.prototype
for (const name of ['every', 'reduceRight', 'findLast', 'some']) try { a[name].call(huge, () => name === 'every') } catch {}
