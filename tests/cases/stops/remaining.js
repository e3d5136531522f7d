// SPDX-License-Identifier: Apache-2.0
// args: --timeout 5s
// outcome: ok
// value: [true,true]
const before = curfew.remaining();
const end = performance.now() + 20;
while (performance.now() < end);
[before > 0 && before <= 5000, before - curfew.remaining() >= 19];
