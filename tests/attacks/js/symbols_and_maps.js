// expect: memory deadline
// SPDX-License-Identifier: Apache-2.0
const m = new Map(), s = new Set(); for (let i = 0; ; i++) { m.set(Symbol.for('s' + i), i); s.add({ i }) }
