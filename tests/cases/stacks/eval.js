// SPDX-License-Identifier: Apache-2.0
// Code made by eval has frames of its own.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: hot <*:1:* | * <*:1:* | outer eval.js:7:* | <anonymous> eval.js:9:1
function outer() {
	eval('function hot() { for (;;); } hot()');
}
outer();
