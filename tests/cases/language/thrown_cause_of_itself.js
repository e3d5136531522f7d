// SPDX-License-Identifier: Apache-2.0
// An error that is its own cause is told once.
// outcome: threw
// error.message: outer
// error.cause.message: inner
// error.cause.cause.message: [Circular]
// error.cause.cause.cause: null
const inner = new Error('inner'), outer = new Error('outer', { cause: inner });
inner.cause = outer;
throw outer;
