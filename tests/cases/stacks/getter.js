// SPDX-License-Identifier: Apache-2.0
// A getter and its caller.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: get busy getter.js:8:* | read getter.js:12:* | <anonymous> getter.js:14:1
const o = {
	get busy() {
		for (;;);
	},
};
function read() {
	return o.busy;
}
read();
