// SPDX-License-Identifier: Apache-2.0
// As in Node, the next turn is too late.
// outcome: threw
// error.message: too late
const p = Promise.reject(new Error('too late'));
setTimeout(() => p.catch(() => {}), 5);
