// expect: deadline
function* g() { try { for (;;); } finally { for (;;) try { for (;;) yield* g() } catch { continue } finally { for (;;); } } }
[...g()]
