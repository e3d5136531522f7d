// SPDX-License-Identifier: Apache-2.0
// A callback of forEach.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: each for_each.js:7:* | forEach native | <anonymous> for_each.js:9:*
function each() {
	for (;;);
}
[1].forEach(each);
