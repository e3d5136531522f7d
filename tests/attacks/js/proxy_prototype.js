// expect: deadline threw
// SPDX-License-Identifier: Apache-2.0
const p = new Proxy({}, {}); Object.setPrototypeOf(p, Object.create(new Proxy({}, { get(t, k, r) { return r[k] }, has() { for (;;); } }))); 'x' in p
