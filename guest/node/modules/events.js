// SPDX-License-Identifier: Apache-2.0
// Emitters, with the fields of Node's: _events has a function or a list of functions for each event.
const { coded, needs, wrongType, aborted } = require('internal/errors');

const errorMonitor = Symbol('events.errorMonitor'), captures = Symbol('kCapture'), shapeMode = Symbol('shapeMode'), captureRejectionSymbol = Symbol.for('nodejs.rejection');
const { apply } = Reflect;
let defaultMaxListeners = 10;
const targetMaximums = new WeakMap();

function EventEmitter(options) { EventEmitter.init.call(this, options); }
module.exports = EventEmitter;
Object.assign(EventEmitter.prototype, { _events: undefined, _eventsCount: 0, _maxListeners: undefined });
Object.defineProperty(EventEmitter.prototype, captures, { value: false, writable: true });
const hide = (target, key, value) => Object.defineProperty(target, key, { value, writable: true, configurable: true });

EventEmitter.init = function (options) {
	if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events) {
		this._events = Object.create(null);
		this._eventsCount = 0;
	}
	this._maxListeners ||= undefined;
	this[shapeMode] = false;
	if (options?.captureRejections)
		needs.boolean(options.captureRejections, 'options.captureRejections');
	this[captures] = Boolean(options?.captureRejections) || EventEmitter.prototype[captures];
	initialized?.(this);
};
// Called with each new emitter, if the module of domains was loaded.
let initialized;
Object.defineProperty(EventEmitter, '_watch', { value: (watch) => { initialized = watch; } });

// ---- Emitting ----

// Reports the rejection of a listener's promise once. Nothing handles a rejection of an error listener's own promise.
function tellRejection(emitter, error, type, args) {
	if (typeof emitter[captureRejectionSymbol] === 'function')
		return void emitter[captureRejectionSymbol](error, type, ...args);
	const before = emitter[captures];
	emitter[captures] = false;
	try {
		emitter.emit('error', error);
	} finally {
		emitter[captures] = before;
	}
}
function take(emitter, result, type, args) {
	if (!emitter[captures] || result === undefined || result === null)
		return;
	try {
		const { then } = result;
		if (typeof then === 'function')
			apply(then, result, [undefined, (error) => binding.natives.queueTick(() => tellRejection(emitter, error, type, args))]);
	} catch (error) {
		emitter.emit('error', error);
	}
}
const unheard = (error) => error instanceof Error ? error : Object.assign(coded(Error, 'ERR_UNHANDLED_ERROR', 'Unhandled error. (' + (typeof error === 'string' ? `'${error}'` : binding.inspect(error)) + ')'), { context: error });
const methods = {
	emit(type, ...args) {
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
	},

	// ---- Listeners ----

	addListener(type, listener) { return add(this, type, listener, false); },
	prependListener(type, listener) { return add(this, type, listener, true); },
	once(type, listener) { return this.on(type, onceOf(this, type, listener)); },
	prependOnceListener(type, listener) { return this.prependListener(type, onceOf(this, type, listener)); },
	removeListener(type, listener) {
		needs.callable(listener, 'listener');
		const list = this._events?.[type];
		if (list === undefined)
			return this;
		const isIt = (one) => one === listener || one.listener === listener;
		if (typeof list === 'function') {
			if (isIt(list))
				drop(this, type, list.listener || listener);
			return this;
		}
		const at = list.findLastIndex(isIt);
		if (at < 0)
			return this;
		list.splice(at, 1);
		if (list.length === 1)
			this._events[type] = list[0];
		if (this._events.removeListener !== undefined)
			this.emit('removeListener', type, listener);
		return this;
	},
	removeAllListeners(type) {
		const events = this._events;
		if (events === undefined)
			return this;
		if (arguments.length === 0 && events.removeListener !== undefined) {
			Reflect.ownKeys(events).forEach((key) => key !== 'removeListener' && this.removeAllListeners(key));
			this.removeAllListeners('removeListener');
		}
		if (arguments.length === 0) {
			this._events = Object.create(null);
			this._eventsCount = 0;
			return this;
		}
		const list = events[type];
		if (events.removeListener !== undefined)
			[list ?? []].flat().reverse().forEach((listener) => this.removeListener(type, listener));
		else if (list !== undefined)
			drop(this, type);
		return this;
	},
	listeners(type) { return [this._events?.[type] ?? []].flat().map((listener) => listener.listener ?? listener); },
	rawListeners(type) { return [this._events?.[type] ?? []].flat(); },
	listenerCount(type, listener) {
		const list = this._events?.[type];
		if (list === undefined)
			return 0;
		if (listener !== undefined && listener !== null)
			return [list].flat().filter((one) => one === listener || one.listener === listener).length;
		return typeof list === 'function' ? 1 : list.length;
	},
	eventNames() { return this._eventsCount > 0 ? Reflect.ownKeys(this._events) : []; },
	setMaxListeners(count) {
		needs.number(count, 'setMaxListeners', 0);
		this._maxListeners = count;
		return this;
	},
	getMaxListeners() { return this._maxListeners ?? defaultMaxListeners; },
};
for (const [name, value] of Object.entries(methods))
	Object.defineProperty(EventEmitter.prototype, name, { value, writable: true, enumerable: true, configurable: true });
EventEmitter.prototype.on = EventEmitter.prototype.addListener;
EventEmitter.prototype.off = EventEmitter.prototype.removeListener;

function drop(emitter, type, told) {
	if (--emitter._eventsCount === 0)
		emitter._events = Object.assign(Object.create(null), emitter._events.removeListener !== undefined && type !== 'removeListener' ? { removeListener: emitter._events.removeListener } : undefined);
	else
		delete emitter._events[type];
	if (told !== undefined && emitter._events.removeListener !== undefined)
		emitter.emit('removeListener', type, told);
}
function add(emitter, type, listener, first) {
	needs.callable(listener, 'listener');
	if (emitter._events === undefined)
		EventEmitter.init.call(emitter);
	if (emitter._events.newListener !== undefined)
		emitter.emit('newListener', type, listener.listener ?? listener);
	const list = emitter._events[type];
	if (list === undefined) {
		emitter._events[type] = listener;
		emitter._eventsCount++;
		return emitter;
	}
	const all = typeof list === 'function' ? emitter._events[type] = first ? [listener, list] : [list, listener] : list;
	if (all === list)
		first ? list.unshift(listener) : list.push(listener);
	const most = emitter.getMaxListeners();
	if (most > 0 && all.length > most && !all.warned) {
		all.warned = true;
		const shown = binding.inspect(emitter, { depth: -1 });
		require('process').emitWarning(Object.assign(new Error(`Possible EventEmitter memory leak detected. ${all.length} ${String(type)} listeners added to ${shown}. MaxListeners is ${most}. Use emitter.setMaxListeners() to increase limit`),
			{ name: 'MaxListenersExceededWarning', emitter, type, count: all.length }));
	}
	return emitter;
}
function onceOf(emitter, type, listener) {
	needs.callable(listener, 'listener');
	let fired = false;
	const called = function (...args) {
		if (fired)
			return undefined;
		fired = true;
		emitter.removeListener(type, called);
		return apply(listener, emitter, args);
	};
	called.listener = listener;
	return called;
}

// ---- Functions of the module ----

const isEmitter = (value) => typeof value?.on === 'function' && typeof value.removeListener === 'function';
const isTarget = (value) => typeof value?.addEventListener === 'function';
const needEmitter = (value, kinds) => isEmitter(value) || isTarget(value) || wrongType('emitter', kinds, value);
// Starts to listen, and returns the function that stops it.
function listen(emitter, type, listener, options) {
	if (isEmitter(emitter)) {
		options?.once ? emitter.once(type, listener) : emitter.on(type, listener);
		return () => emitter.removeListener(type, listener);
	}
	emitter.addEventListener(type, listener, options);
	return () => emitter.removeEventListener(type, listener, options);
}

// Checks the arguments of once and on, and returns their signal.
function signalOf(emitter, options) {
	needs.object(options, 'options');
	const { signal } = options;
	needs.signal(signal, 'options.signal');
	if (signal?.aborted)
		throw aborted(signal.reason);
	needEmitter(emitter, 'an instance of EventEmitter');
	return signal;
}

async function once(emitter, type, options = {}) {
	const signal = signalOf(emitter, options);
	return new Promise((resolve, reject) => {
		const stops = [];
		const settle = (action) => (...args) => {
			stops.forEach((stop) => stop());
			action(...args);
		};
		stops.push(listen(emitter, type, settle((...args) => resolve(args)), { once: true }));
		if (type !== 'error' && isEmitter(emitter))
			stops.push(listen(emitter, 'error', settle(reject), { once: true }));
		if (signal)
			stops.push(listen(signal, 'abort', settle(() => reject(aborted(signal.reason))), { once: true }));
	});
}

function on(emitter, type, options = {}) {
	const signal = signalOf(emitter, options);
	const high = options.highWaterMark ?? options.highWatermark ?? Number.MAX_SAFE_INTEGER, low = options.lowWaterMark ?? options.lowWatermark ?? 1;
	needs.integer(high, 'options.highWaterMark', 1);
	needs.integer(low, 'options.lowWaterMark', 1);
	const events = [], waiting = [], stops = [];
	let over = false, isPaused = false, failure;
	const end = () => {
		stops.splice(0).forEach((stop) => stop());
		over = true;
		waiting.splice(0).forEach(({ resolve }) => resolve({ value: undefined, done: true }));
		return Promise.resolve({ value: undefined, done: true });
	};
	const give = (value) => {
		if (waiting.length > 0)
			return waiting.shift().resolve({ value, done: false });
		events.push(value);
		if (!isPaused && events.length > high && typeof emitter.pause === 'function') {
			isPaused = true;
			emitter.pause();
		}
	};
	const fail = (error) => {
		if (waiting.length > 0)
			waiting.shift().reject(error);
		else
			failure = { error };
		end();
	};
	const iterator = Object.setPrototypeOf({
		next() {
			if (events.length > 0) {
				const value = events.shift();
				if (isPaused && events.length < low) {
					isPaused = false;
					emitter.resume();
				}
				return Promise.resolve({ value, done: false });
			}
			if (failure) {
				const { error } = failure;
				failure = undefined;
				return Promise.reject(error);
			}
			return over ? end() : new Promise((resolve, reject) => waiting.push({ resolve, reject }));
		},
		return: () => end(),
		throw(error) {
			if (!(error instanceof Error))
				wrongType('EventEmitter.AsyncIterator', 'an instance of Error', error);
			fail(error);
		},
		[Symbol.asyncIterator]() { return this; },
	}, Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype));
	stops.push(listen(emitter, type, (...args) => give(args)));
	if (type !== 'error' && isEmitter(emitter))
		stops.push(listen(emitter, 'error', fail));
	for (const name of options.close ?? [])
		stops.push(listen(emitter, name, end));
	if (signal)
		stops.push(listen(signal, 'abort', () => fail(aborted(signal.reason)), { once: true }));
	return iterator;
}

// The listeners of an event target are known to the platform alone.
function getEventListeners(emitter, type) {
	if (typeof emitter?.listeners === 'function')
		return emitter.listeners(type);
	if (isTarget(emitter))
		return [];
	return wrongType('emitter', 'an instance of EventEmitter or EventTarget', emitter);
}
function getMaxListeners(emitter) {
	if (typeof emitter?.getMaxListeners === 'function')
		return emitter.getMaxListeners();
	return isTarget(emitter) ? targetMaximums.get(emitter) ?? defaultMaxListeners : wrongType('emitter', 'an instance of EventEmitter or EventTarget', emitter);
}
function setMaxListeners(count = defaultMaxListeners, ...emitters) {
	needs.number(count, 'setMaxListeners', 0);
	if (emitters.length === 0)
		defaultMaxListeners = count;
	for (const emitter of emitters) {
		if (typeof emitter?.setMaxListeners === 'function')
			emitter.setMaxListeners(count);
		else if (isTarget(emitter))
			targetMaximums.set(emitter, count);
		else
			wrongType('eventTargets', 'an instance of EventEmitter or EventTarget', emitter);
	}
}
function addAbortListener(signal, listener) {
	if (signal === undefined)
		wrongType('signal', 'an instance of AbortSignal', signal);
	needs.signal(signal, 'signal');
	needs.callable(listener, 'listener');
	let stop = () => {};
	if (signal.aborted)
		queueMicrotask(() => listener());
	else
		stop = listen(signal, 'abort', listener, { once: true });
	return { [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() { stop(); } };
}
const listenerCount = (emitter, type) => typeof emitter.listenerCount === 'function' ? emitter.listenerCount(type) : apply(methods.listenerCount, emitter, [type]);

Object.assign(EventEmitter, { addAbortListener, once, on, getEventListeners, getMaxListeners, EventEmitter, setMaxListeners, listenerCount, errorMonitor, captureRejectionSymbol });
Object.defineProperties(EventEmitter, {
	defaultMaxListeners: { enumerable: true, get: () => defaultMaxListeners, set(count) {
		needs.number(count, 'defaultMaxListeners', 0);
		defaultMaxListeners = count;
	} },
	captureRejections: { enumerable: true, get: () => EventEmitter.prototype[captures], set(value) {
		needs.boolean(value, 'EventEmitter.captureRejections');
		EventEmitter.prototype[captures] = value;
	} },
	// It keeps the asynchronous context that it was created in.
	EventEmitterAsyncResource: { configurable: true, enumerable: true, get() {
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
	} },
});
