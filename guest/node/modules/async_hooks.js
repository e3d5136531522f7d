// SPDX-License-Identifier: Apache-2.0
// The context of a program follows its promises, jobs, timers and tasks: the guest's C code stores it with each of
// them. The context is an immutable Map from storage to value. Each run() makes a new one.
const { asyncContext } = binding.natives;
const fail = (message, code, Kind = TypeError) => { throw Object.assign(new Kind(message), { code }); };
const needFunction = (value, name) => typeof value === 'function' || fail(`The "${name}" argument must be of type function.`, 'ERR_INVALID_ARG_TYPE');

// Calls a function in another context, then restores the current one.
function within(context, action, self, args) {
	const present = asyncContext(context);
	try {
		return Reflect.apply(action, self, args);
	} finally {
		asyncContext(present);
	}
}
function withStore(storage, store) {
	const context = new Map(asyncContext());
	if (store === undefined)
		context.delete(storage);
	else
		context.set(storage, { store });
	return context.size > 0 ? context : undefined;
}

class AsyncLocalStorage {
	#default;
	#name;
	constructor({ defaultValue, name = '' } = {}) {
		this.#default = defaultValue;
		this.#name = String(name);
	}
	static bind(action) {
		needFunction(action, 'fn');
		return AsyncResource.bind(action);
	}
	static snapshot() {
		const context = asyncContext();
		return function (action, ...args) { return within(context, action, this, args); };
	}
	get name() { return this.#name; }
	getStore() {
		const found = asyncContext()?.get(this);
		return found === undefined ? this.#default : found.store;
	}
	run(store, action, ...args) {
		const context = new Map(asyncContext());
		context.set(this, { store });
		return within(context, action, undefined, args);
	}
	exit(action, ...args) { return within(withStore(this, undefined), action, undefined, args); }
	enterWith(store) {
		const context = new Map(asyncContext());
		context.set(this, { store });
		asyncContext(context);
	}
	disable() { asyncContext(withStore(this, undefined)); }
}

let lastId = 1, present = { id: 1, trigger: 0, resource: {} };

class AsyncResource {
	#context = asyncContext();
	#here;
	constructor(type, options) {
		if (typeof type !== 'string')
			fail('The "type" argument must be of type string.', 'ERR_INVALID_ARG_TYPE');
		const trigger = typeof options === 'number' ? options : options?.triggerAsyncId ?? present.id;
		this.#here = { id: ++lastId, trigger, resource: this };
	}
	runInAsyncScope(action, self, ...args) {
		const before = present;
		present = this.#here;
		try {
			return within(this.#context, action, self, args);
		} finally {
			present = before;
		}
	}
	bind(action, self) {
		needFunction(action, 'fn');
		const resource = this;
		const bound = function (...args) { return resource.runInAsyncScope(action, self === undefined ? this : self, ...args); };
		Object.defineProperty(bound, 'length', { configurable: true, value: action.length });
		return bound;
	}
	static bind(action, type, self) { return new AsyncResource(type || action.name || 'bound-anonymous-fn').bind(action, self); }
	emitDestroy() { return this; }
	asyncId() { return this.#here.id; }
	triggerAsyncId() { return this.#here.trigger; }
}

module.exports = {
	AsyncLocalStorage, AsyncResource, executionAsyncId: () => present.id, triggerAsyncId: () => present.trigger, executionAsyncResource: () => present.resource,
	createHook() { fail('async_hooks.createHook is not here: what waits for what is not told', 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', Error); }, asyncWrapProviders: Object.freeze({ __proto__: null }),
};
