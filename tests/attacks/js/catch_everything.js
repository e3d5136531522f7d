// expect: deadline
// SPDX-License-Identifier: Apache-2.0
function f() { for (;;) { try { f() } catch { try { for (;;); } finally { f() } } finally { for (;;) { try { return f() } finally { continue } } } } } f()
