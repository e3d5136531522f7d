// expect: deadline output memory threw stack
// SPDX-License-Identifier: Apache-2.0
let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; console.dir(o, { depth: Infinity }); for (;;) console.log(o)
