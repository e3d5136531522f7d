// SPDX-License-Identifier: Apache-2.0
// Same program, same input, same build: same fuel, also without --deterministic.
// args: --fuel 1G
// outcome: ok
// run: twice
// value: 4999950000
let sum = 0;
for (let i = 0; i < 1e5; i++) sum += i;
sum;
