// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
const o = { list: [] }; o.self = o; for (let i = 0; i < 1e4; i++) o.list.push({ o, m: new Map([[o, o]]) }); for (;;) structuredClone(o)
