// SPDX-License-Identifier: Apache-2.0
// args: --timers 3
// outcome: timers
// tripped: timers
// used.timers_peak: 3
for (;;) setTimeout(() => {}, 1000);
