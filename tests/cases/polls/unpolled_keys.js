// SPDX-License-Identifier: Apache-2.0
// A builtin that does not poll is still stopped.
// args: --cpu 80ms --timeout 60s
// outcome: cpu memory threw
// used.wall_us: < 5000000
const huge = { length: 2 ** 53 - 1 };
[].push.apply([], { length: 2 ** 32 - 1 });
