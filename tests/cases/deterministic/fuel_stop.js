// SPDX-License-Identifier: Apache-2.0
// A fuel limit stops both runs at the same point.
// args: --deterministic --fuel 3M
// outcome: fuel
// run: twice
// stdout~: 0
for (let i = 0; ; i++) if (i % 1000 === 0) console.log(i);
