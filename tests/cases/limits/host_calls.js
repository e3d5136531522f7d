// SPDX-License-Identifier: Apache-2.0
// args: --host-calls 5
// outcome: host_calls
// tripped: host_calls
// used.host_calls: 5
// partial: 4
for (let i = 0; ; i++) curfew.checkpoint(i);
