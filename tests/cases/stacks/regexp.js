// SPDX-License-Identifier: Apache-2.0
// The regular-expression matcher.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: exec native | test native | match regexp.js:7:* | <anonymous> regexp.js:9:*
function match(text) {
	return /^(a+)+$/.test(text);
}
match('a'.repeat(60) + '!');
