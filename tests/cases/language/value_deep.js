// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: true
let deep = []; for (let i = 0; i < 1000; i++) deep = [deep];
const shared = { a: 1 };
// An object that occurs twice is no cycle, nor is one that a toJSON serializes meanwhile.
const twice = JSON.stringify([shared, shared, { toJSON() { return JSON.stringify([deep, shared]).length } }]);
let caught = 0;
for (let i = 0; i < 3; i++) try { const c = { shared }; c.c = c; JSON.stringify([shared, c]) } catch { caught++ }
JSON.stringify(deep).length === 2002 && twice === '[{"a":1},{"a":1},2012]' && caught === 3 && JSON.stringify(shared) === '{"a":1}';
