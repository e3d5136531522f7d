// expect: deadline threw
// SPDX-License-Identifier: Apache-2.0
throw Object.create(Error.prototype, { name: { get() { for (;;); } }, message: { get() { return 'x'.repeat(2 ** 20) } } })
