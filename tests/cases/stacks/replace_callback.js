// SPDX-License-Identifier: Apache-2.0
// A callback of replace.
// args: --timeout 80ms
// outcome: deadline
// frames: each replace_callback.js:7:* | replace native | <anonymous> replace_callback.js:9:*
function each(text) {
	for (;;);
}
'a-b'.replace('-', each);
