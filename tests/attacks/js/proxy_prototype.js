// expect: deadline threw
const p = new Proxy({}, {}); Object.setPrototypeOf(p, Object.create(new Proxy({}, { get(t, k, r) { return r[k] }, has() { for (;;); } }))); 'x' in p
