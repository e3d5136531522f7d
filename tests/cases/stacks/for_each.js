// SPDX-License-Identifier: Apache-2.0
// A callback of forEach.
// args: --timeout 80ms
// outcome: deadline
// frames: each for_each.js:7:* | forEach native | <anonymous> for_each.js:9:*
function each() {
	for (;;);
}
[1].forEach(each);
