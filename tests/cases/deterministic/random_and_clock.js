// SPDX-License-Identifier: Apache-2.0
// args: --deterministic
// outcome: ok
// run: twice
// stdout~: .
const seen = [];
for (let i = 0; i < 100; i++) seen.push(Math.random());
console.log(new Date().toISOString(), performance.now(), Date.now());
[seen, crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(16))]];
