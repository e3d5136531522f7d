// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: outer
// error.source_line: throw new Error('outer', { cause: Object.assign(new RangeError('inner', { cause: 'why' }), { code: 7 }) });
// error.cause.name: RangeError
// error.cause.message: inner
// error.cause.properties: {"code":7}
// error.cause.cause.name: null
// error.cause.cause.message: why
// error.errors: null
// error.properties: null
throw new Error('outer', { cause: Object.assign(new RangeError('inner', { cause: 'why' }), { code: 7 }) });
