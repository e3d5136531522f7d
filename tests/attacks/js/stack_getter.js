// expect: threw deadline
// SPDX-License-Identifier: Apache-2.0
Object.defineProperty(Error.prototype, 'stack', { get() { for (;;); } }); Error.prototype.toString = () => { for (;;); }
throw new Error('x')
