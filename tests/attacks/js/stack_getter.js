// expect: threw deadline
Object.defineProperty(Error.prototype, 'stack', { get() { for (;;); } }); Error.prototype.toString = () => { for (;;); }
throw new Error('x')
