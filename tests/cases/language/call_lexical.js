// SPDX-License-Identifier: Apache-2.0
// args: --call greet --params '["you"]'
// outcome: ok
// value: "hi you"
const greet = name => 'hi ' + name;
