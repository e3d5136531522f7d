// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: ["undefined","object"]
// Creating Intl uses built-ins, which a program can replace with code that uses Intl: it does not exist yet then.
const { map } = Array.prototype;
const { defineProperty } = Object;
let seen = [];
JSON.parse = new Proxy(JSON.parse, { apply(target, self, args) { seen.push(typeof Intl); return Reflect.apply(target, self, args); } });
Reflect.defineProperty = new Proxy(Reflect.defineProperty, { apply(target, self, args) { seen.push(typeof Intl); return Reflect.apply(target, self, args); } });
Object.defineProperty(Map.prototype, 'has', { value: new Proxy(Map.prototype.has, { apply(target, self, args) { seen.push(typeof globalThis.Intl); return Reflect.apply(target, self, args); } }) });
const first = typeof Intl;
const during = seen.length ? seen[0] : 'undefined';
[during, first];
