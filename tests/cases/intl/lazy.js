// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: [true,"object","function",true,true,"mine",true,"undefined"]
// Intl is an ordinary global, though it is created at its first use. A program may replace what it is created
// with, or Intl itself.
const isThere = 'Intl' in globalThis && !Object.keys(globalThis).includes('Intl');
const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'Intl');
const same = Intl === globalThis.Intl && Intl.NumberFormat === Intl.NumberFormat;
const plain = descriptor.writable && !descriptor.enumerable && descriptor.configurable;
Intl.NumberFormat = 'mine';
const replaced = Intl.NumberFormat;
const methods = (5).toLocaleString() === '5' && new Date(0).toLocaleDateString() === '1/1/1970';
globalThis.Intl = undefined;
[isThere, typeof descriptor.value, typeof descriptor.value.DateTimeFormat, same, plain, replaced, methods, typeof Intl];
