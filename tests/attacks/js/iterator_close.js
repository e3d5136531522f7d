// expect: deadline
// SPDX-License-Identifier: Apache-2.0
const endless = { [Symbol.iterator]: () => ({ next: () => ({ done: false }), return() { for (;;); } }) }
for (const x of endless) break
