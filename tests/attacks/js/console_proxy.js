// expect: deadline
console.log(new Proxy([], { get() { for (;;); }, ownKeys() { for (;;); }, getPrototypeOf() { for (;;); } }), { get a() { for (;;); }, [Symbol.toStringTag]: 'x' }); for (;;);
