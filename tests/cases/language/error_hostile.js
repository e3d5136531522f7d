// SPDX-License-Identifier: Apache-2.0
// An error with getters, proxies and cycles is still reported.
// outcome: threw
// error.name: Error
// error.message: outer
// error.cause.message: [Circular]
const error = new Error('outer');
error.cause = error;
error.proxy = new Proxy({}, { get() { throw 1 }, ownKeys() { throw 2 } });
Object.defineProperty(error, 'bad', { get() { throw 3 }, enumerable: true });
Object.defineProperty(error, 'errors', { get() { throw 4 } });
Array.prototype.toJSON = Object.prototype.toJSON = String.prototype.toJSON = () => { throw 5 };
Object.prototype.message = 7;
throw error;
