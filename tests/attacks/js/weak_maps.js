// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
const m = new WeakMap(); let k = {}; for (;;) { const next = {}; m.set(next, { k, m: new WeakMap([[next, k]]) }); k = next }
