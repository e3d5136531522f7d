// expect: deadline
({ toJSON() { for (;;) try { for (;;); } finally { continue } } })
