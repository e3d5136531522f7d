// expect: deadline
outer: for (;;) { for (;;) { do { try { continue outer } finally { if (1) continue outer } } while (1) } }
