// SPDX-License-Identifier: Apache-2.0
// Rejections that wait to be handled are found at once, in whatever order that comes.
// args: --cpu 8s
// outcome: ok
// value: [30000,30000]
const fail = async (i) => { throw i };
const all = Array.from({ length: 30000 }, (_, i) => fail(i));
let handled = 0;
for (const promise of all.reverse()) promise.catch(() => handled++);
const settled = await Promise.allSettled(Array.from({ length: 30000 }, (_, i) => fail(i)));
export default [handled, settled.length];
