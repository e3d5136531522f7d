// expect: deadline memory
const m = new WeakMap(); let k = {}; for (;;) { const next = {}; m.set(next, { k, m: new WeakMap([[next, k]]) }); k = next }
