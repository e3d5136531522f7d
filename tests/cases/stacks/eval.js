// SPDX-License-Identifier: Apache-2.0
// Code made by eval has frames of its own.
// args: --timeout 80ms
// outcome: deadline
// frames: hot <*:1:* | * <*:1:* | outer eval.js:7:* | <anonymous> eval.js:9:1
function outer() {
	eval('function hot() { for (;;); } hot()');
}
outer();
