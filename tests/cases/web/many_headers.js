// SPDX-License-Identifier: Apache-2.0
// Setting and reading many headers takes no quadratic time.
// args: --cpu 5s --timeout 60s
// outcome: ok
// value: [100000,"1"]
const headers = new Headers();
for (let i = 0; i < 100000; i++) headers.set('k' + i, '1');
let found = 0;
for (let i = 0; i < 100000; i++) if (headers.has('k' + i)) found++;
[found, headers.get('k99999')];
