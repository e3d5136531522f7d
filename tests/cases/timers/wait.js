// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: true
const start = performance.now();
new Promise(go => setTimeout(go, 50)).then(() => performance.now() - start >= 49);
