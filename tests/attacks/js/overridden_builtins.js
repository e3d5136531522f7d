// expect: deadline
// SPDX-License-Identifier: Apache-2.0
Promise.prototype.then = Array.prototype.push = JSON.stringify = Function.prototype.call = () => { for (;;); }
for (const key of ['then', 'stack', 'toJSON', 'name', 'message', 'get', 'set'])
	Object.defineProperty(Object.prototype, key, { configurable: true, get() { for (;;); }, set() { for (;;); } })
export default {}; await 1
