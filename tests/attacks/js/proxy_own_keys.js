// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
for (;;) Object.keys(new Proxy({}, { ownKeys: () => new Proxy([], { get: (t, k) => k === 'length' ? 2 ** 32 - 1 : 'k' + String(k) }) }))
