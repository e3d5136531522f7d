// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
Array.from({ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }, () => ({ a: [] }))
