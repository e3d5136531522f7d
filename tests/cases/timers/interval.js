// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: 5
let n = 0;
new Promise(go => { const id = setInterval(() => { if (++n === 5) { clearInterval(id); go(n) } }, 1) });
