// SPDX-License-Identifier: Apache-2.0
// A tagged template.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: tag tagged_template.js:7:* | <anonymous> tagged_template.js:9:*
function tag(parts, value) {
	for (;;);
}
tag`a${1}b`;
