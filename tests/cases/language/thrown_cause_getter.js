// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: outer
// error.cause: null
const error = new Error('outer');
Object.defineProperty(error, 'cause', { get() { throw new Error('inner'); } });
throw error;
