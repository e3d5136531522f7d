// SPDX-License-Identifier: Apache-2.0
// A callback of a builtin, the builtin, and its caller.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: compare sort_callback.js:7:* | sort native | order sort_callback.js:10:* | <anonymous> sort_callback.js:12:1
function compare(a, b) {
	for (;;);
}
function order() {
	return [3, 1, 2].sort(compare);
}
order();
