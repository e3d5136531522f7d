// SPDX-License-Identifier: Apache-2.0
// args: --deterministic
// outcome: ok
// run: twice
// stdout~: \d
for (let i = 0; i < 20; i++) setTimeout(() => console.log(i, performance.now()), Math.random() * 20);
undefined;
