// expect: threw stack deadline memory
// SPDX-License-Identifier: Apache-2.0
let o = {}; for (let i = 0; i < 1e5; i++) o = { o, n: [o] }; structuredClone(o); for (;;) structuredClone(o)
