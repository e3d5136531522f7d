// SPDX-License-Identifier: Apache-2.0
// A default value of a parameter.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: <anonymous> default_parameter.js:6:* | f default_parameter.js:6:* | <anonymous> default_parameter.js:8:1
function f(a = (() => { for (;;); })()) {
}
f();
