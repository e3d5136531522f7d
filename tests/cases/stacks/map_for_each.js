// SPDX-License-Identifier: Apache-2.0
// A callback of a Map.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: each map_for_each.js:7:* | forEach native | <anonymous> map_for_each.js:9:*
function each() {
	for (;;);
}
new Map([[1, 2]]).forEach(each);
