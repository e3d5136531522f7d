// expect: deadline
const o = { [Symbol.toPrimitive]() { for (;;) try { for (;;); } catch { } } }; `${o}` + o * 2
