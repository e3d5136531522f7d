// SPDX-License-Identifier: Apache-2.0
// A builtin that does not poll is still stopped.
// args: --cpu 80ms --timeout 60s
// outcome: cpu memory
// used.wall_us: < 5000000
const huge = { length: 2 ** 53 - 1 };
[].fill.call(new Proxy({ length: 2 ** 53 - 1 }, { set: () => true }), 0);
