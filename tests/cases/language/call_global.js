// SPDX-License-Identifier: Apache-2.0
// args: --call greet --params '["you"]'
// outcome: ok
// value: "hello you"
function greet(name) { return 'hello ' + name }
