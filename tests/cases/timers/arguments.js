// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: [1,"a",{"b":2}]
new Promise(go => setTimeout((...rest) => go(rest), 1, 1, 'a', { b: 2 }));
