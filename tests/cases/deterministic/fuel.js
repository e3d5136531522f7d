// SPDX-License-Identifier: Apache-2.0
// args: --deterministic --fuel 1G
// outcome: ok
// run: twice
// used.fuel: > 1000
const m = new Map();
for (let i = 0; i < 3000; i++) m.set('k' + Math.random(), { i });
const text = JSON.stringify([...m]);
[text.length, [...m.keys()].sort()[0], /(\d+)\.(\d+)/.exec(text)?.[0]];
