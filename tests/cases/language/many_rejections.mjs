// SPDX-License-Identifier: Apache-2.0
// A rejection that is handled is found in constant time, in whatever order that happens.
// args: --cpu 8s
// outcome: ok
// value: [30000,30000]
const fail = async (i) => { throw i };
const all = Array.from({ length: 30000 }, (_, i) => fail(i));
let handled = 0;
for (const promise of all.reverse()) promise.catch(() => handled++);
const settled = await Promise.allSettled(Array.from({ length: 30000 }, (_, i) => fail(i)));
export default [handled, settled.length];
