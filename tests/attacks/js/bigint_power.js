// expect: deadline
// SPDX-License-Identifier: Apache-2.0
for (;;) try { 7n ** 330000n; 2n ** 30000000n } catch {}
