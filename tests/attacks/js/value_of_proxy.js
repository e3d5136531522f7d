// expect: deadline
// SPDX-License-Identifier: Apache-2.0
({ toJSON() { return new Proxy([], { get: (t, k) => (k === 'length' ? 2 ** 32 - 1 : k) }) } })
