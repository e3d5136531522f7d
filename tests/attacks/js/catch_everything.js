// expect: deadline
function f() { for (;;) { try { f() } catch { try { for (;;); } finally { f() } } finally { for (;;) { try { return f() } finally { continue } } } } } f()
