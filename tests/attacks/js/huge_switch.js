// expect: deadline memory threw
// SPDX-License-Identifier: Apache-2.0
let s = 'switch (x) {'; for (let i = 0; i < 200000; i++) s += `case ${i}: y += ${i}; break;`
new Function('x', 'y', s + '}'); for (;;) new Function('x', 'let y = 0;' + s.slice(0, 100000).replace(/case[^;]*$/, '') + '}')
