// SPDX-License-Identifier: Apache-2.0
// The position at which memory ran out.
// args: --memory 24MiB
// outcome: memory
// frames: fill memory_in_push.js:8:* | <anonymous> memory_in_push.js:10:1
function fill() {
	const a = [];
	for (;;) a.push({ a: [1, 2, 3] });
}
fill();
