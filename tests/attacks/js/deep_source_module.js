// expect: deadline threw stack memory
// SPDX-License-Identifier: Apache-2.0
for (;;) try { new Function('a'.repeat(10) + '['.repeat(1e5)) } catch { try { (0, eval)('class A { static {'.repeat(2e4)) } catch {} }
