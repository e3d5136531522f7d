// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: null
var a = 1;
