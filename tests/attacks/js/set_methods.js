// expect: deadline
// SPDX-License-Identifier: Apache-2.0
new Set([1]).isSupersetOf({ size: 0, has: () => true, keys: () => ({ next: () => ({ done: false, value: 1 }) }) })
