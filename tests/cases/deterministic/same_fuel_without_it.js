// SPDX-License-Identifier: Apache-2.0
// The same program, input and build use the same fuel, even without --deterministic.
// args: --fuel 1G
// outcome: ok
// run: twice
// value: 4999950000
let sum = 0;
for (let i = 0; i < 1e5; i++) sum += i;
sum;
