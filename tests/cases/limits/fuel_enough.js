// SPDX-License-Identifier: Apache-2.0
// args: --fuel 1G
// outcome: ok
// value: 499500
// used.fuel: > 10000
let sum = 0;
for (let i = 0; i < 1000; i++) sum += i;
sum;
