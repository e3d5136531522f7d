// SPDX-License-Identifier: Apache-2.0
// Timers and microtasks. The guest's C code and the host keep the time.

function toHandler(handler) {
	if (typeof handler === 'function') return handler;
	const shown = inspect(handler),
		isTold = handler === undefined || handler === null || typeof handler === 'object';
	const error = new TypeError(
		'The "callback" argument must be of type function. Received ' +
			(isTold ? shown : 'type ' + typeof handler + ' (' + shown + ')'),
	);
	error.code = 'ERR_INVALID_ARG_TYPE';
	throw error;
}

// Delays are signed 32-bit integers, as in browsers. A negative one counts as 0.
const toDelay = (delay, least) => max(delay | 0, least);

// The result of setTimeout: an object with the methods of Node's, which converts to a number.
let newTimeout, timeoutId;
class Timeout {
	#id;
	#waited = true;
	#again;

	ref() {
		return this.#wait(true);
	}
	unref() {
		return this.#wait(false);
	}
	hasRef() {
		return this.#waited;
	}
	refresh() {
		clearTimer(this.#id);
		this.#id = this.#again();
		return this.#wait(this.#waited);
	}
	close() {
		clearTimer(this.#id);
		return this;
	}
	[Symbol.toPrimitive]() {
		return this.#id;
	}

	#wait(waited) {
		this.#waited = waited;
		unrefTimer(this.#id, waited);
		return this;
	}

	static {
		newTimeout = again => {
			const timeout = new Timeout();
			timeout.#again = again;
			timeout.#id = again();
			return timeout;
		};
		timeoutId = value => (isObject(value) && #id in value ? value.#id : value);
	}
}
defineProperty(Timeout.prototype, Symbol.dispose, {
	__proto__: null,
	value: Timeout.prototype.close,
	writable: true,
	configurable: true,
});

const stopTimer = id => {
	id = timeoutId(id) | 0;
	if (id > 0) clearTimer(id);
};

const timerFunctions = {
	setTimeout(handler, delay = undefined, ...args) {
		const callback = toHandler(handler),
			time = toDelay(delay, 0);
		return newTimeout(() => setTimer(callback, time, false, args));
	},
	// With an interval of 0, the run loop would never do anything else.
	setInterval(handler, delay = undefined, ...args) {
		const callback = toHandler(handler),
			time = toDelay(delay, 1);
		return newTimeout(() => setTimer(callback, time, true, args));
	},
	clearTimeout(id = undefined) {
		stopTimer(id);
	},
	clearInterval(id = undefined) {
		stopTimer(id);
	},
	queueMicrotask(callback) {
		enqueueMicrotask(toHandler(callback));
	},
};
