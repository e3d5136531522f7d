// SPDX-License-Identifier: Apache-2.0
// Timers and microtasks. Time itself is kept by the guest's C side and the host.

	function toHandler(handler, what) {
		if (typeof handler !== 'function')
			throw new TypeError('The first argument of ' + what + ' is not a function');
		return handler;
	}

	// Delays are signed 32-bit integers, as in browsers; a negative one is 0.
	const toDelay = (delay, least) => max(delay | 0, least);

	const stopTimer = (id) => {
		id |= 0;
		if (id > 0)
			clearTimer(id);
	};

	const timerFunctions = {
		setTimeout(handler, delay = undefined, ...args) {
			return setTimer(toHandler(handler, 'setTimeout'), toDelay(delay, 0), false, args);
		},
		// An interval of 0 would leave the run loop nothing else to do.
		setInterval(handler, delay = undefined, ...args) {
			return setTimer(toHandler(handler, 'setInterval'), toDelay(delay, 1), true, args);
		},
		clearTimeout(id = undefined) { stopTimer(id); },
		clearInterval(id = undefined) { stopTimer(id); },
		queueMicrotask(callback) { enqueueMicrotask(toHandler(callback, 'queueMicrotask')); },
	};
