// SPDX-License-Identifier: Apache-2.0
// Listeners are found in constant time, however many there are.
// args: --cpu 8s
// outcome: ok
// value: [60000,30000,60001]
const target = new EventTarget(), listeners = Array.from({ length: 30000 }, () => () => { called++ });
let called = 0;
for (let round = 0; round < 2; round++)
	for (const listener of listeners) {
		target.addEventListener('x', listener);
		target.addEventListener('x', listener, true);
	}
target.dispatchEvent(new Event('x'));
const both = called;
for (const listener of listeners.reverse()) target.removeEventListener('x', listener);
called = 0;
target.dispatchEvent(new Event('x'));
const half = called;
// Listeners that are added and removed during a dispatch.
target.addEventListener('x', () => { for (const listener of listeners) target.removeEventListener('x', listener, true); }, { once: true });
target.addEventListener('x', () => { called++ });
target.dispatchEvent(new Event('x'));
[both, half, called];
