// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: AggregateError
// error.errors.0.message: a is down
// error.errors.1.message: b is down
// error.errors.1.name: Down
class Down extends Error {}
await Promise.any(['a', 'b'].map(async (m) => { throw new Down(m + ' is down'); }));
