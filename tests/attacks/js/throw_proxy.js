// expect: threw deadline
throw new Proxy(Object.create(Error.prototype), { get() { for (;;); }, getPrototypeOf() { for (;;); }, has() { for (;;); } })
