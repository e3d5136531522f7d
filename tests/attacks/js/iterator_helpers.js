// expect: deadline
// SPDX-License-Identifier: Apache-2.0
function* one() { for (;;) yield 1 } one().filter(() => false).map(x => x).take(Infinity).toArray()
