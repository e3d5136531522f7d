// expect: output memory deadline
// SPDX-License-Identifier: Apache-2.0
for (;;) console.log('%s%d%i%f%j%o%O%c'.repeat(5e4), { toString() { return 'x'.repeat(1e4) } })
