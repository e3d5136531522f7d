// expect: deadline
Object.defineProperty(globalThis, 'undefined_name', { get() { for (;;); } }); undefined_name
