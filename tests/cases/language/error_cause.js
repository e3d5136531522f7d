// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: outer
throw new Error('outer', { cause: new Error('inner') });
