// SPDX-License-Identifier: Apache-2.0
// The outcome is what the host latched, not the name of an exception.
// outcome: threw
// tripped:
// stop: null
// error.name: deadline
// error.message: the deadline passed
throw Object.assign(new Error('the deadline passed'), { name: 'deadline' });
