// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: [true,"object",false,8]
var declared = 8;
[this === globalThis, typeof globalThis, (function () { 'use strict'; return this === globalThis })(), globalThis.declared];
