// SPDX-License-Identifier: Apache-2.0
// AbortController and AbortSignal of the DOM Standard, and the signal of the run itself, which the host aborts. Reading
// the run's signal reads what the host wrote; the run loop calls its listeners.

const construct = { __proto__: null }; // a token that only the prelude can pass to a constructor
const ABORTED_BY_DEADLINE = 1;

let newSignal, isAbortSignal, isAborted, onAbort, offAbort, abortReason, abortSignal, isAbortController;
let abortRun, awaitsAbort, runSignal, renewRunSignal, signalFollow;

class AbortSignal extends EventTarget {
	#aborted = false;
	#reason = undefined;
	#fired = false;
	#algorithms = []; // functions of the platform that run on abort, before the event
	#dependents = []; // signals that follow this one
	#sources = []; // for a dependent signal: the independent signals that it follows
	#followsRun = false;
	#onabort = newHandler();

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
		super();
	}

	static abort(reason = undefined) {
		const signal = newSignal();
		signal.#mark(reason);
		signal.#fired = true;
		return signal;
	}

	static timeout(milliseconds) {
		needArguments('AbortSignal.timeout', 1, arguments.length);
		const delay = toEnforcedInteger(milliseconds, 'The timeout');
		const signal = newSignal();
		const expire = () =>
			abortSignal(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
		const id = setTimer(expire, delay, false, []);
		// This timer must not keep a program alive that has nothing else to do.
		if (unrefTimer) unrefTimer(id);
		return signal;
	}

	static any(signals) {
		needArguments('AbortSignal.any', 1, arguments.length);
		const list = [];
		if (!isObject(signals)) throw new TypeError('The argument of AbortSignal.any is not iterable');
		for (const signal of signals) {
			if (!isAbortSignal(signal))
				throw new TypeError('The argument of AbortSignal.any holds something that is not an AbortSignal');
			push(list, signal);
		}
		const result = newSignal();
		for (let i = 0; i < list.length; i++) {
			if (isAborted(list[i])) {
				result.#mark(list[i].#reason);
				result.#fired = true;
				return result;
			}
		}
		for (let i = 0; i < list.length; i++) result.#follow(list[i]);
		return result;
	}

	get reason() {
		isAborted(this);
		return this.#reason;
	}
	get onabort() {
		return this.#onabort.handler;
	}
	set onabort(handler) {
		setHandler(this, 'abort', this.#onabort, handler);
	}

	throwIfAborted() {
		if (isAborted(this)) throw this.#reason;
	}

	#follow(signal) {
		const sources = signal.#sources.length ? signal.#sources : [signal];
		for (let i = 0; i < sources.length; i++) {
			push(this.#sources, sources[i]);
			push(sources[i].#dependents, this);
		}
		this.#followsRun ||= signal.#followsRun;
	}

	// Marks the signal and those that follow it as aborted. Listeners are notified later.
	#mark(reason) {
		if (this.#aborted) return;
		if (reason === undefined) reason = new DOMException('This operation was aborted', 'AbortError');
		this.#aborted = true;
		this.#reason = reason;
		// All sources of a dependent signal are independent, so this goes one level deep.
		for (let i = 0; i < this.#dependents.length; i++) this.#dependents[i].#mark(reason);
	}

	#fire() {
		if (this.#fired) return;
		this.#fired = true;
		const algorithms = this.#algorithms;
		this.#algorithms = [];
		for (let i = 0; i < algorithms.length; i++) algorithms[i]();
		dispatch(this, makeTrusted(new Event('abort')));
		for (let i = 0; i < this.#dependents.length; i++) this.#dependents[i].#fire();
		this.#dependents = [];
	}

	static {
		let run;
		const markRun = kind =>
			run.#mark(
				kind === ABORTED_BY_DEADLINE
					? new DOMException('The deadline of the run passed', 'TimeoutError')
					: new DOMException('The run was cancelled', 'AbortError'),
			);

		newSignal = () => new AbortSignal(construct);
		// From now on the signal is aborted when the source is.
		signalFollow = (signal, source) => {
			if (isAborted(source)) {
				signal.#mark(source.#reason);
				signal.#fired = true;
			} else {
				signal.#follow(source);
			}
		};
		isAbortSignal = value => isObject(value) && #aborted in value;
		isAborted = signal => {
			if (!signal.#aborted && signal.#followsRun) {
				const kind = aborted();
				if (kind !== 0) markRun(kind);
			}
			return signal.#aborted;
		};
		onAbort = (signal, algorithm) => push(signal.#algorithms, algorithm);
		offAbort = (signal, algorithm) => {
			const list = signal.#algorithms;
			for (let i = 0; i < list.length; i++) {
				if (list[i] === algorithm) {
					list[i] = list[list.length - 1];
					list.length--;
					return;
				}
			}
		};
		abortReason = signal => signal.#reason;
		abortSignal = (signal, reason) => {
			if (signal.#aborted) return;
			signal.#mark(reason);
			signal.#fire();
		};
		abortRun = kind => {
			markRun(kind);
			run.#fire();
		};
		// Whether an abort of this signal has any effect.
		const isObserved = signal => {
			if (signal.#algorithms.length > 0 || hasListeners(signal, 'abort')) return true;
			for (let i = 0; i < signal.#dependents.length; i++) {
				if (isObserved(signal.#dependents[i])) return true;
			}
			return false;
		};
		awaitsAbort = () => !run.#fired && isObserved(run);
		renewRunSignal = () => {
			if (run && !run.#aborted) return;
			run = newSignal();
			run.#followsRun = true;
			runSignal = run;
			setRunSignal(run);
		};
		renewRunSignal();
	}
}
// The getter is native because a loop may read it at every turn.
defineProperty(AbortSignal.prototype, 'aborted', {
	__proto__: null,
	get: abortedGetter(isAborted),
	configurable: true,
});
finishInterface(AbortSignal, 'AbortSignal');

class AbortController {
	#signal = newSignal();
	get signal() {
		return this.#signal;
	}
	abort(reason = undefined) {
		abortSignal(this.#signal, reason);
	}
	static {
		isAbortController = value => isObject(value) && #signal in value;
	}
}
finishInterface(AbortController, 'AbortController');
