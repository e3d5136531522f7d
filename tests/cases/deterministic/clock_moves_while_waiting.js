// SPDX-License-Identifier: Apache-2.0
// args: --deterministic
// outcome: ok
// run: twice
// value: [0,50,50,true]
const start = Date.now(), at = performance.now();
for (let i = 0; i < 1e5; i++);
const still = Date.now() - start;
new Promise(go => setTimeout(go, 50)).then(() => [still, Date.now() - start, performance.now() - at, start > 1.5e12]);
