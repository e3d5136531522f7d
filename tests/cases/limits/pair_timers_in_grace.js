// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms --grace 10s --timers 2
// outcome: timers deadline
// tripped: deadline timers
// stop.cause: timers
while (!curfew.signal.aborted);
for (;;) setTimeout(() => {}, 1e6);
