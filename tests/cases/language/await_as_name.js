// SPDX-License-Identifier: Apache-2.0
// A script may use await as a name.
// outcome: ok
// value: 7
var await = 6;
await + 1;
