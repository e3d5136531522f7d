// SPDX-License-Identifier: Apache-2.0
// A listener.
// args: --timeout 80ms
// outcome: deadline
// frames: listen event_listener.js:8:* | ...
const target = new EventTarget();
target.addEventListener('x', function listen() {
	for (;;);
});
target.dispatchEvent(new Event('x'));
