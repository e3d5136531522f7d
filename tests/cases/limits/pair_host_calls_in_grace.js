// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms --grace 10s --host-calls 2
// outcome: host_calls deadline
// tripped: deadline host_calls
// stop.cause: host_calls
// partial: 1
while (!curfew.signal.aborted);
for (let i = 0; ; i++) curfew.checkpoint(i);
