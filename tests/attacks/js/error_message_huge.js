// expect: threw memory
throw new Error('x'.repeat(2 ** 24))
