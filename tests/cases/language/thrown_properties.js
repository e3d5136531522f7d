// SPDX-License-Identifier: Apache-2.0
// A property that JSON would empty is shown as on the console. Getters that throw, and functions, are left out.
// outcome: threw
// error.message: no
// error.properties: {"map":"Map(1) { 1 => 2 }","pattern":"/a/","when":"1970-01-01T00:00:00.000Z","none":null,"big":"1n","plain":{"a":[]},"cyclic":"<ref *1> { self: [Circular *1] }","empty":"{}"}
const cyclic = {};
cyclic.self = cyclic;
throw Object.assign(new Error('no'), {
	map: new Map([[1, 2]]), pattern: /a/, when: new Date(0), none: null, big: 1n, plain: { a: [] }, cyclic, empty: {}, f() {},
});
