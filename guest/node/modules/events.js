// SPDX-License-Identifier: Apache-2.0
const EventEmitter = require('../node_modules/events/events.js');

Object.defineProperty(EventEmitter, 'name', { value: 'EventEmitter', configurable: true });
const names = (target, type) => typeof target.listeners === 'function' ? target.listeners(type) : [];
EventEmitter.errorMonitor ??= Symbol('events.errorMonitor');
EventEmitter.captureRejectionSymbol ??= Symbol.for('nodejs.rejection');

// ---- Emitting: features that the package lacks ----

// Whether the emitter handles rejections of the promises that its listeners return.
const captures = Symbol('kCapture');
const { apply } = Reflect, { errorMonitor, captureRejectionSymbol } = EventEmitter;
const wrongType = (name, value) => Object.assign(new TypeError(`The "${name}" argument must be of type boolean. Received ${binding.inspect(value)}`), { code: 'ERR_INVALID_ARG_TYPE' });
Object.defineProperty(EventEmitter.prototype, captures, { value: false, writable: true });
Object.defineProperty(EventEmitter, 'captureRejections', { enumerable: true,
	get: () => EventEmitter.prototype[captures],
	set(value) {
		if (typeof value !== 'boolean')
			throw wrongType('EventEmitter.captureRejections', value);
		EventEmitter.prototype[captures] = value;
	} });
const capture = (emitter, value) => Object.defineProperty(emitter, captures, { value, writable: true, configurable: true });

const { init } = EventEmitter;
EventEmitter.init = function (options) {
	init.call(this);
	if (!options?.captureRejections)
		return;
	if (typeof options.captureRejections !== 'boolean')
		throw wrongType('options.captureRejections', options.captureRejections);
	capture(this, true);
};

// Reports the rejection of a listener's promise once. Nothing handles a rejection of an error listener's own promise.
function tellRejection(emitter, error, type, args) {
	if (typeof emitter[captureRejectionSymbol] === 'function')
		return void emitter[captureRejectionSymbol](error, type, ...args);
	const before = emitter[captures];
	capture(emitter, false);
	try {
		emitter.emit('error', error);
	} finally {
		capture(emitter, before);
	}
}
function take(emitter, result, type, args) {
	if (!emitter[captures] || result === undefined || result === null)
		return;
	try {
		const { then } = result;
		if (typeof then === 'function')
			apply(then, result, [undefined, (error) => queueMicrotask(() => tellRejection(emitter, error, type, args))]);
	} catch (error) {
		emitter.emit('error', error);
	}
}
const unheard = (error) => error instanceof Error ? error : Object.assign(new Error('Unhandled error. (' + binding.inspect(error) + ')'), { code: 'ERR_UNHANDLED_ERROR', context: error });
EventEmitter.prototype.emit = function emit(type, ...args) {
	const events = this._events;
	if (type === 'error') {
		if (events?.[errorMonitor] !== undefined)
			this.emit(errorMonitor, ...args);
		if (events?.error === undefined)
			throw unheard(args[0]);
	}
	const handler = events?.[type];
	if (handler === undefined)
		return false;
	if (typeof handler === 'function') {
		take(this, apply(handler, this, args), type, args);
	} else {
		for (const listener of handler.slice())
			take(this, apply(listener, this, args), type, args);
	}
	return true;
};

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
