// SPDX-License-Identifier: Apache-2.0
// A callback of replace.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: each replace_callback.js:7:* | replace native | <anonymous> replace_callback.js:9:*
function each(text) {
	for (;;);
}
'a-b'.replace('-', each);
