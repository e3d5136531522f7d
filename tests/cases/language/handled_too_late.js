// SPDX-License-Identifier: Apache-2.0
// As in Node: not before the next turn.
// outcome: threw
// error.message: too late
const p = Promise.reject(new Error('too late'));
setTimeout(() => p.catch(() => {}), 5);
