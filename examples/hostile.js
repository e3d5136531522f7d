// SPDX-License-Identifier: Apache-2.0
// Never ends, and hides from its own time limit: it catches whatever is thrown, swallows it again in finally, makes the hooks of
// errors fail or lie, and removes what its reader could learn from.

Error.stackTraceLimit = 0;
Error.prepareStackTrace = () => { for (;;); };
Object.defineProperty(Error.prototype, 'stack', { get: () => 'nothing to see here' });
Object.defineProperty(Error.prototype, 'message', { get() { for (;;); } });
Promise.prototype.then = Promise.prototype.catch = () => { for (;;); };
Object.prototype.toJSON = () => { for (;;); };

function burrow(depth) {
	for (;;) {
		try {
			if (depth > 0)
				return burrow(depth - 1);
			for (;;) {
				[3, 1, 2].sort();
			}
		} catch {
			// Whatever it was: not now.
		} finally {
			// Not even then.
			continue;
		}
	}
}

burrow(3);
