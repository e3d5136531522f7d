// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: SyntaxError
// frames: <anonymous> <input>:1:2 | parse native | inner default_throws.js:5:32 | default default_throws.js:6:37
function inner() { return JSON.parse('{') }
export default function () { return inner() }
