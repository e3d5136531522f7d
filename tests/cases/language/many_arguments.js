// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: [200000,199999,200000,true]
const many = Array.from({ length: 200000 }, (_, i) => i);
const count = (...rest) => rest.length;
let refused = false;
try { Math.max.apply(null, { length: 1e9 }) } catch (error) { refused = error instanceof RangeError }
[count(...many), Math.max(...many), String.fromCharCode.apply(null, new Uint8Array(200000)).length, refused];
