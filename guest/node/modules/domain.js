// SPDX-License-Identifier: Apache-2.0
// Domains: errors that nothing catches go to the domain in which they were thrown, or in which an emitter was made. What
// a program begins in a domain (timers, ticks, tasks) stays in it.
const EventEmitter = require('events');
const { AsyncLocalStorage } = require('async_hooks');

const stack = [], context = new AsyncLocalStorage();
const current = () => stack.at(-1) ?? context.getStore();
const mark = (error, fields) => {
	if (error !== null && typeof error === 'object')
		for (const [key, value] of Object.entries(fields))
			Object.defineProperty(error, key, { configurable: true, enumerable: false, value, writable: true });
	return error;
};
const setActive = () => { exports.active = current(); };

class Domain extends EventEmitter {
	members = [];
	constructor() {
		super();
		Object.defineProperty(this, 'domain', { value: undefined, writable: true, configurable: true, enumerable: false });
	}
	enter() {
		stack.push(this);
		context.enterWith(this);
		setActive();
	}
	exit() {
		const at = stack.lastIndexOf(this);
		if (at < 0)
			return;
		stack.splice(at);
		context.enterWith(stack.at(-1));
		setActive();
	}
	add(emitter) {
		if (emitter.domain === this || this.domain === emitter)
			return;
		emitter.domain?.remove(emitter);
		Object.defineProperty(emitter, 'domain', { configurable: true, enumerable: false, value: this, writable: true });
		this.members.push(emitter);
	}
	remove(emitter) {
		emitter.domain = null;
		const at = this.members.indexOf(emitter);
		if (at >= 0)
			this.members.splice(at, 1);
	}
	run(action, ...args) { return inside(this, () => Reflect.apply(action, this, args)); }
	bind(callback) {
		const domain = this;
		return mark(function (...args) { return inside(domain, () => Reflect.apply(callback, this, args)); }, { domain });
	}
	intercept(callback) {
		const domain = this;
		return function (error, ...args) {
			if (error instanceof Error) {
				domain.emit('error', mark(error, { domainBound: callback, domainThrown: false, domain }));
				return undefined;
			}
			return inside(domain, () => Reflect.apply(callback, this, args));
		};
	}
	dispose() { this.exit(); }
	_errorHandler(error) { return handle(this, error); }
}
// The domain stays on the stack if an error leaves it, so that whoever reports the error knows it.
function inside(domain, action) {
	const before = context.getStore();
	domain.enter();
	const result = action();
	domain.exit();
	if (stack.length === 0)
		context.enterWith(before);
	return result;
}
function handle(domain, error) {
	stack.length = 0;
	context.enterWith(undefined);
	setActive();
	if (domain.listenerCount('error') === 0)
		return false;
	mark(error, { domain, domainThrown: true });
	return domain.emit('error', error);
}

exports.create = exports.createDomain = () => new Domain();
exports.Domain = Domain;
exports.active = null;
exports._stack = stack;
Object.defineProperty(process, 'domain', { configurable: true, enumerable: true, get: current, set(domain) {
	stack.length = 0;
	if (domain)
		stack.push(domain);
} });
globalThis.addEventListener('error', (event) => {
	const domain = current();
	if (domain && handle(domain, event.error))
		event.preventDefault();
	stack.length = 0;
});

// ---- Emitters belong to the domain in which they are made ----

EventEmitter._watch((emitter) => {
	const domain = current();
	if (domain && !(emitter instanceof Domain))
		Object.defineProperty(emitter, 'domain', { configurable: true, enumerable: false, value: domain, writable: true });
});
const { emit } = EventEmitter.prototype;
EventEmitter.prototype.emit = function (type, ...args) {
	const { domain } = this;
	if (!(domain instanceof Domain) || this === process)
		return Reflect.apply(emit, this, [type, ...args]);
	if (type === 'error' && this.listenerCount('error') === 0) {
		const error = args[0] ?? Object.assign(new Error('Unhandled "error" event'), { code: 'ERR_UNHANDLED_ERROR' });
		mark(error, { domainEmitter: this, domain, domainThrown: false });
		if (domain.listenerCount('error') === 0)
			throw error;
		// The handler runs outside of every domain.
		const before = stack.splice(0), store = context.getStore();
		context.enterWith(undefined);
		try {
			return domain.emit('error', error);
		} finally {
			stack.push(...before);
			context.enterWith(store);
		}
	}
	return inside(domain, () => Reflect.apply(emit, this, [type, ...args]));
};
