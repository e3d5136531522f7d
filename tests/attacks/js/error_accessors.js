// expect: deadline threw
throw Object.create(Error.prototype, { name: { get() { for (;;); } }, message: { get() { return 'x'.repeat(2 ** 20) } } })
