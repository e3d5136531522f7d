// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: 50000
let n = 0;
for (let i = 0; i < 50000; i++) Promise.resolve().then(() => n++);
new Promise(go => setTimeout(go, 1)).then(() => n);
