// SPDX-License-Identifier: Apache-2.0
// A default value of a parameter.
// args: --timeout 80ms
// outcome: deadline
// frames: <anonymous> default_parameter.js:6:* | f default_parameter.js:6:* | <anonymous> default_parameter.js:8:1
function f(a = (() => { for (;;); })()) {
}
f();
