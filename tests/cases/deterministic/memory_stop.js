// SPDX-License-Identifier: Apache-2.0
// args: --deterministic --memory 16MiB
// outcome: memory
// run: twice
const kept = [];
for (let i = 0; ; i++) { kept.push(new Array(1000).fill(i)); if (i % 100 === 0) curfew.checkpoint(i); }
