// expect: deadline
// SPDX-License-Identifier: Apache-2.0
console.log(new Proxy([], { get() { for (;;); }, ownKeys() { for (;;); }, getPrototypeOf() { for (;;); } }), { get a() { for (;;); }, [Symbol.toStringTag]: 'x' }); for (;;);
