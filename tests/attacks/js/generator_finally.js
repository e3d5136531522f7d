// expect: deadline
// SPDX-License-Identifier: Apache-2.0
function* g() { try { for (;;); } finally { for (;;) try { for (;;) yield* g() } catch { continue } finally { for (;;); } } }
[...g()]
