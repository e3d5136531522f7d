// expect: deadline
async function* g() { try { yield 1 } finally { for (;;) await null } } for await (const x of g()) break; export {}
