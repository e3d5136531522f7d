// expect: deadline
// SPDX-License-Identifier: Apache-2.0
function* g() { for (;;) try { yield 1 } finally { continue } }
const i = g(); i.next(); for (;;) i.return()
