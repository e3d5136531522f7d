// expect: deadline stack
(function f() { try { f() } catch { f() } finally { f() } })()
