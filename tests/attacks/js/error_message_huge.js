// expect: threw memory
// SPDX-License-Identifier: Apache-2.0
throw new Error('x'.repeat(2 ** 24))
