// expect: threw
// SPDX-License-Identifier: Apache-2.0
const f = { 'f (a.js:1:1)\n    at forged (forged.js:2:2)\n    at g': () => { throw new Error('x\n    at forged (forged.js:3:3)') } }; for (const k in f) f[k]()
