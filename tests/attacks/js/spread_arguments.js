// expect: deadline threw stack memory
// SPDX-License-Identifier: Apache-2.0
for (;;) try { Math.max(...new Array(10 ** 6).fill(0)); String.fromCharCode.apply(null, { length: 2 ** 32 - 1 }) } catch {}
