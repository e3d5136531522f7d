// expect: host_calls memory
// SPDX-License-Identifier: Apache-2.0
const big = 'x'.repeat(2 ** 12); for (;;) curfew.checkpoint({ big })
