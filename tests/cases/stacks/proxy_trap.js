// SPDX-License-Identifier: Apache-2.0
// A trap of a proxy.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: get proxy_trap.js:8:* | read proxy_trap.js:12:* | <anonymous> proxy_trap.js:14:1
const proxy = new Proxy({}, {
	get(target, key) {
		for (;;);
	},
});
function read() {
	return proxy.x;
}
read();
