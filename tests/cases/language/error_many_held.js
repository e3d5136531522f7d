// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: all
const many = Array.from({ length: 1000 }, (_, i) => new Error('e' + i, { cause: new Error('c', { cause: new Error('d') }) }));
throw new AggregateError(many, 'all');
