// SPDX-License-Identifier: Apache-2.0
// args: --timers 2
// outcome: ok
// used.timers_peak: 1
for (let i = 0; i < 100; i++) clearTimeout(setTimeout(() => {}, 1000));
1;
