// SPDX-License-Identifier: Apache-2.0
// Function.prototype.call passes what it got, and is in no stack and no message.
// outcome: ok
// value: [[2,2,2],[5],"undefined","Function.prototype.call.call is not a function",["at g"],[0,"1"]]
function list(a, b) { a++; return [arguments[0], b, arguments.length]; }
function bare() { 'use strict'; return typeof this; }
function g() { return new Error('x').stack.split('\n').slice(1, 2).map((line) => line.trim().slice(0, 4)); }
function sloppy(...rest) { return [rest.length, String(this)]; }
let said;
try { Function.prototype.call.call(5); } catch (error) { said = error.message; }
[list.call(null, 1, 2), [].concat.call([], 5), bare.call(), said, g.call(1), Function.prototype.call.call(sloppy, 1)];
