// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: 42
eval("import('./lib/util.js')").then(({ answer }) => answer);
