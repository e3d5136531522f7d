// SPDX-License-Identifier: Apache-2.0
// A tagged template.
// args: --timeout 80ms
// outcome: deadline
// frames: tag tagged_template.js:7:* | <anonymous> tagged_template.js:9:*
function tag(parts, value) {
	for (;;);
}
tag`a${1}b`;
