// SPDX-License-Identifier: Apache-2.0
// mock.timers of node:test: timers and dates that follow a time which the test sets.
const { coded, needs, wrongValue } = require('internal/errors');

const supported = ['setTimeout', 'setInterval', 'setImmediate', 'Date', 'scheduler.wait', 'AbortSignal.timeout'], LONGEST = 2 ** 31 - 1;
const RealDate = Date;
const abortError = (signal) => Object.assign(coded(Error, 'ABORT_ERR', 'The operation was aborted'), { name: 'AbortError', cause: signal.reason });

class MockTimer {
	constructor(timers, fields) { Object.assign(Object.defineProperty(this, 'timers', { value: timers }), fields); }
	ref() { return this; }
	unref() { return this; }
	hasRef() { return true; }
	refresh() {
		this.timers.again(this);
		return this;
	}
	close() { this.timers.drop(this); }
	[Symbol.toPrimitive]() { return this.id; }
	[Symbol.dispose]() { this.timers.drop(this); }
}

module.exports = class MockTimers {
	#isEnabled = false;
	#now = 0;
	#queue = [];
	#number = 1;
	#replaced = [];
	enable(options = {}) {
		const { apis = supported.filter((name) => !name.includes('.')), now = 0 } = options;
		if (this.#isEnabled)
			throw coded(Error, 'ERR_INVALID_STATE', 'Invalid state: MockTimers is already enabled!');
		if (!Array.isArray(apis))
			require('internal/errors').wrongType('options.apis', 'an instance of Array', apis);
		for (const name of apis)
			supported.includes(name) || wrongValue('options.apis', name, `option ${name} is not supported`);
		if (Number.isNaN(+now))
			wrongValue('now', +now, `epoch must be a positive integer received ${+now}`);
		if (!(now instanceof RealDate))
			needs.number(now, 'initialTime');
		this.#now = +now;
		this.#isEnabled = true;
		apis.forEach((name) => this.#mock(name));
	}
	#replace(object, name, value) {
		const before = Object.getOwnPropertyDescriptor(object, name);
		Object.defineProperty(object, name, { configurable: true, writable: true, enumerable: before?.enumerable ?? true, value });
		this.#replaced.push(() => before ? Object.defineProperty(object, name, before) : delete object[name]);
	}
	#mock(name) {
		const timers = require('timers'), promises = require('timers/promises');
		const start = (callback, delay, args, interval) => this.#add(callback, delay, args, interval), stop = (timer) => this.drop(timer);
		const both = (key, value) => [globalThis, timers].forEach((object) => this.#replace(object, key, value));
		if (name === 'setTimeout') {
			both('setTimeout', (callback, delay, ...args) => start(callback, delay, args));
			both('clearTimeout', stop);
			this.#replace(promises, 'setTimeout', (delay, value, options) => this.#promise(delay, value, options));
		} else if (name === 'setInterval') {
			both('setInterval', (callback, delay, ...args) => start(callback, delay, args, true));
			both('clearInterval', stop);
			this.#replace(promises, 'setInterval', (delay, value, options) => this.#values(delay, value, options));
		} else if (name === 'setImmediate') {
			both('setImmediate', (callback, ...args) => start(callback, -1, args));
			both('clearImmediate', stop);
			this.#replace(promises, 'setImmediate', (value, options) => this.#promise(-1, value, options));
		} else if (name === 'scheduler.wait') {
			this.#replace(promises.scheduler, 'wait', (delay, options) => this.#promise(delay, undefined, options));
		} else if (name === 'AbortSignal.timeout') {
			this.#replace(AbortSignal, 'timeout', (delay) => {
				const controller = new AbortController();
				start(() => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay, []);
				return controller.signal;
			});
		} else {
			this.#replace(globalThis, 'Date', this.#date());
		}
	}
	#date() {
		const now = () => this.#now;
		function MockDate(...args) {
			return new.target ? Reflect.construct(RealDate, args.length === 0 ? [now()] : args, new.target) : new RealDate(now()).toString();
		}
		Object.defineProperties(MockDate, Object.getOwnPropertyDescriptors(RealDate));
		Object.defineProperty(MockDate, 'now', { configurable: true, writable: true, value: now });
		return Object.defineProperty(MockDate, 'isMock', { enumerable: true, value: true });
	}
	#add(callback, delay, args, interval) {
		needs.callable(callback, 'callback');
		const given = delay > LONGEST ? 1 : +delay || 0, timer = new MockTimer(this, { id: this.#number++, callback, runAt: this.#now + given, interval: interval ? given : undefined, args, delay: given });
		this.#queue.push(timer);
		return timer;
	}
	// One that ends again and again is due after those that were due at the same time.
	again(timer) {
		this.drop(timer);
		timer.runAt = this.#now + timer.delay;
		this.#queue.push(timer);
	}
	drop(timer) { this.#queue = this.#queue.filter((one) => one !== timer && one.id !== timer); }
	#next() { return this.#queue.reduce((first, timer) => first === undefined || timer.runAt < first.runAt ? timer : first, undefined); }
	#promise(delay, value, { signal } = {}) {
		if (signal?.aborted)
			return Promise.reject(abortError(signal));
		return new Promise((resolve, reject) => {
			const fail = () => {
				this.drop(timer);
				reject(abortError(signal));
			};
			const timer = this.#add(() => {
				signal?.removeEventListener('abort', fail);
				resolve(value);
			}, delay, []);
			signal?.addEventListener('abort', fail, { once: true });
		});
	}
	async* #values(delay, value, { signal } = {}) {
		let due = 0, wake;
		const tell = () => wake?.(), timer = this.#add(() => {
			due++;
			tell();
		}, delay, [], true);
		signal?.addEventListener('abort', tell, { once: true });
		try {
			for (;;) {
				if (due === 0 && !signal?.aborted)
					await new Promise((resolve) => { wake = resolve; });
				for (; due > 0; due--)
					yield value;
				if (signal?.aborted)
					throw abortError(signal);
			}
		} finally {
			this.drop(timer);
		}
	}
	#needEnabled() {
		if (!this.#isEnabled)
			throw coded(Error, 'ERR_INVALID_STATE', 'Invalid state: You should enable MockTimers first by calling the .enable function');
	}
	tick(time = 1) {
		this.#needEnabled();
		if (time < 0)
			wrongValue('time', 'positive integer', time); // in this order, as Node does
		this.#now += time;
		for (let timer = this.#next(); timer !== undefined && timer.runAt <= this.#now; timer = this.#next()) {
			const kept = timer.runAt;
			Reflect.apply(timer.callback, undefined, timer.args);
			if (!this.#queue.includes(timer) || timer.runAt !== kept)
				continue;
			this.drop(timer);
			if (timer.interval === undefined)
				continue;
			timer.runAt += timer.interval;
			this.#queue.push(timer);
		}
	}
	runAll() {
		this.#needEnabled();
		if (this.#queue.length > 0)
			this.tick(Math.max(0, ...this.#queue.map(({ runAt }) => runAt)) - this.#now);
	}
	setTime(time = 0) {
		needs.number(time, 'time');
		if (time < 0)
			wrongValue('time', 'positive integer', time); // in this order, as Node does
		this.#needEnabled();
		this.#now = time;
	}
	reset() {
		if (!this.#isEnabled)
			return;
		this.#replaced.reverse().forEach((restore) => restore());
		this.#replaced = [];
		this.#queue = [];
		this.#now = 0;
		this.#isEnabled = false;
	}
	[Symbol.dispose]() { this.reset(); }
};
