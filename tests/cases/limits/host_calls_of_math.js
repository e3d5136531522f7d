// SPDX-License-Identifier: Apache-2.0
// Functions that stay in the sandbox make no host calls.
// args: --host-calls 1
// outcome: ok
// used.host_calls: 0
for (let i = 0; i < 1000; i++) Math.random(), Date.now(), performance.now(), curfew.remaining();
1;
