// SPDX-License-Identifier: Apache-2.0
// A listener.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: listen event_listener.js:8:* | ...
const target = new EventTarget();
target.addEventListener('x', function listen() {
	for (;;);
});
target.dispatchEvent(new Event('x'));
