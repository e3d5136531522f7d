// SPDX-License-Identifier: Apache-2.0
const EventEmitter = require('../node_modules/events/events.js');

Object.defineProperty(EventEmitter, 'name', { value: 'EventEmitter', configurable: true });
const names = (target, type) => typeof target.listeners === 'function' ? target.listeners(type) : [];
EventEmitter.errorMonitor ??= Symbol('events.errorMonitor');
EventEmitter.captureRejectionSymbol ??= Symbol.for('nodejs.rejection');
EventEmitter.captureRejections = false;
EventEmitter.getEventListeners ??= names;
EventEmitter.getMaxListeners ??= (emitter) => emitter.getMaxListeners();
EventEmitter.setMaxListeners ??= (count = 10, ...emitters) => {
	for (const emitter of emitters)
		emitter.setMaxListeners?.(count);
};
EventEmitter.addAbortListener ??= (signal, listener) => {
	if (signal.aborted)
		queueMicrotask(() => listener());
	else
		signal.addEventListener('abort', listener, { once: true });
	return { [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() { signal.removeEventListener('abort', listener); } };
};
// The package's own once() has no signal.
EventEmitter.once = function once(emitter, name, { signal } = {}) {
	const isTarget = typeof emitter.on !== 'function';
	return new Promise((resolve, reject) => {
		const remove = (event, listener) => isTarget ? emitter.removeEventListener(event, listener) : emitter.removeListener(event, listener);
		const settle = (action) => {
			remove(name, take);
			remove('error', fail);
			signal?.removeEventListener('abort', abort);
			action();
		};
		const take = (...args) => settle(() => resolve(args)), fail = (error) => settle(() => reject(error));
		const abort = () => settle(() => reject(Object.assign(new Error('The operation was aborted', { cause: signal.reason }), { name: 'AbortError', code: 'ABORT_ERR' })));
		if (signal?.aborted)
			return abort();
		if (isTarget)
			emitter.addEventListener(name, take, { once: true });
		else
			emitter.once(name, take);
		if (name !== 'error' && !isTarget)
			emitter.once('error', fail);
		signal?.addEventListener('abort', abort, { once: true });
	});
};
EventEmitter.on ??= function on(emitter, event, { signal } = {}) {
	const queue = [], waiting = [];
	let over = false, failure;
	const give = (...args) => waiting.length > 0 ? waiting.shift().resolve({ value: args, done: false }) : queue.push(args);
	const fail = (error) => {
		failure = error;
		if (waiting.length > 0)
			waiting.shift().reject(error);
		iterator.return();
	};
	const iterator = {
		async next() {
			if (queue.length > 0)
				return { value: queue.shift(), done: false };
			if (failure !== undefined)
				throw failure;
			if (over)
				return { value: undefined, done: true };
			return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
		},
		async return() {
			over = true;
			emitter.removeListener(event, give);
			emitter.removeListener('error', fail);
			for (const { resolve } of waiting.splice(0))
				resolve({ value: undefined, done: true });
			return { value: undefined, done: true };
		},
		async throw(error) { fail(error); return { value: undefined, done: true }; },
		[Symbol.asyncIterator]() { return this; },
	};
	emitter.on(event, give);
	if (event !== 'error')
		emitter.on('error', fail);
	signal?.addEventListener('abort', () => fail(signal.reason), { once: true });
	return iterator;
};
// It keeps the asynchronous context that it was created in.
Object.defineProperty(EventEmitter, 'EventEmitterAsyncResource', { configurable: true, enumerable: true,
	get() {
		const { AsyncResource } = require('async_hooks');
		const value = class EventEmitterAsyncResource extends EventEmitter {
			constructor(options) {
				super(options);
				const { name = new.target.name, ...rest } = typeof options === 'string' ? { name: options } : options ?? {};
				this.asyncResource = new AsyncResource(name, rest);
			}
			emit(...args) { return this.asyncResource.runInAsyncScope(() => super.emit(...args)); }
			emitDestroy() { this.asyncResource.emitDestroy(); }
			get asyncId() { return this.asyncResource.asyncId(); }
			get triggerAsyncId() { return this.asyncResource.triggerAsyncId(); }
		};
		Object.defineProperty(EventEmitter, 'EventEmitterAsyncResource', { value, writable: true, configurable: true, enumerable: true });
		return value;
	} });
module.exports = EventEmitter;
