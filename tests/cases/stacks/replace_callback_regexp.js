// SPDX-License-Identifier: Apache-2.0
// A callback of replace with a regular expression.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: each replace_callback_regexp.js:7:* | [Symbol.replace] native | replace native | <anonymous> replace_callback_regexp.js:9:*
function each(text) {
	for (;;);
}
'a-b'.replace(/-/g, each);
