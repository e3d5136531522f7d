// expect: deadline
// SPDX-License-Identifier: Apache-2.0
const o = { [Symbol.toPrimitive]() { for (;;) try { for (;;); } catch { } } }; `${o}` + o * 2
