// SPDX-License-Identifier: Apache-2.0
// An endless builtin and its caller.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: indexOf native | find index_of.js:7:* | <anonymous> index_of.js:9:*
function find(list) {
	return Array.prototype.indexOf.call(list, 1);
}
find({ length: 2 ** 53 - 1 });
