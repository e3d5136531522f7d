// SPDX-License-Identifier: Apache-2.0
// Both limits are reported.
// args: --timeout 400ms --grace 10s --memory 16MiB
// outcome: memory deadline
// tripped: deadline memory
// stop.cause: memory
while (!curfew.signal.aborted);
const kept = [];
for (;;) kept.push(new Array(1000).fill(0));
