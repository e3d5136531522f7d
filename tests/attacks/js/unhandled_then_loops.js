// expect: deadline threw
Promise.reject(new Error('first')); for (;;);
