// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: out of memory
throw new RangeError('out of memory');
