// SPDX-License-Identifier: Apache-2.0
// A callback of JSON.parse.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: revive json_parse_reviver.js:7:* | parse native | <anonymous> json_parse_reviver.js:9:*
function revive(key, value) {
	for (;;);
}
JSON.parse('[1, 2]', revive);
