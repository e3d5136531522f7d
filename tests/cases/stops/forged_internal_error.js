// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: InternalError
// error.message: interrupted
throw Object.assign(new Error('interrupted'), { name: 'InternalError', uncatchable: true });
