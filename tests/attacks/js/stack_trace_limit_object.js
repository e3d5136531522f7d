// expect: threw deadline
Error.stackTraceLimit = { valueOf() { for (;;); }, toString() { for (;;); } }; throw new Error('x')
