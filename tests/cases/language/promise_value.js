// SPDX-License-Identifier: Apache-2.0
// A promise is awaited.
// outcome: ok
// value: {"a":1}
new Promise(resolve => setTimeout(resolve, 5, Promise.resolve({ a: 1 })));
