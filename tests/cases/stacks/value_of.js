// SPDX-License-Identifier: Apache-2.0
// A conversion that an operator makes.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: valueOf value_of.js:6:* | add value_of.js:8:* | <anonymous> value_of.js:10:1
const o = { valueOf() { for (;;); } };
function add() {
	return 1 + o;
}
add();
