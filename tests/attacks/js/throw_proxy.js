// expect: threw deadline
// SPDX-License-Identifier: Apache-2.0
throw new Proxy(Object.create(Error.prototype), { get() { for (;;); }, getPrototypeOf() { for (;;); }, has() { for (;;); } })
