// SPDX-License-Identifier: Apache-2.0
const { needs, wrongType } = require('internal/errors');
const channels = new Map();

class Channel {
	#subscribers = [];
	#stores = new Map();
	constructor(name) { this.name = name; }
	get hasSubscribers() { return this.#subscribers.length > 0 || this.#stores.size > 0; }
	subscribe(listener) {
		needs.callable(listener, 'subscription');
		this.#subscribers = [...this.#subscribers, listener];
	}
	unsubscribe(listener) {
		const at = this.#subscribers.indexOf(listener);
		this.#subscribers = this.#subscribers.filter((_, i) => i !== at);
		return at >= 0;
	}
	publish(message) {
		for (const listener of this.#subscribers) {
			try {
				listener(message, this.name);
			} catch (error) {
				queueMicrotask(() => { throw error; });
			}
		}
	}
	bindStore(store, transform) { this.#stores.set(store, transform); }
	unbindStore(store) { return this.#stores.delete(store); }
	runStores(message, action, self, ...args) {
		let run = () => {
			this.publish(message);
			return Reflect.apply(action, self, args);
		};
		for (const [store, transform] of this.#stores) {
			const next = run;
			run = () => {
				let value = message;
				try {
					value = transform ? transform(message) : message;
				} catch (error) {
					queueMicrotask(() => { throw error; });
					return next();
				}
				return store.run(value, next);
			};
		}
		return run();
	}
}
function channel(name) {
	if (typeof name !== 'string' && typeof name !== 'symbol')
		wrongType('channel', 'one of type string or symbol', name);
	if (!channels.has(name))
		channels.set(name, new Channel(name));
	return channels.get(name);
}

const kinds = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
class TracingChannel {
	constructor(name) {
		for (const kind of kinds)
			this[kind] = typeof name === 'string' ? channel('tracing:' + name + ':' + kind) : name[kind] instanceof Channel ? name[kind] : wrongType(`nameOrChannels.${kind}`, 'an instance of Channel', name[kind]);
	}
	get hasSubscribers() { return kinds.some((kind) => this[kind].hasSubscribers); }
	subscribe(handlers) { kinds.forEach((kind) => handlers[kind] && this[kind].subscribe(handlers[kind])); }
	unsubscribe(handlers) { return kinds.map((kind) => !handlers[kind] || this[kind].unsubscribe(handlers[kind])).every(Boolean); }
	#fail(context, error) {
		context.error = error;
		this.error.publish(context);
	}
	traceSync(action, context = {}, self, ...args) {
		if (!this.hasSubscribers)
			return Reflect.apply(action, self, args);
		return this.start.runStores(context, () => {
			try {
				return context.result = Reflect.apply(action, self, args);
			} catch (error) {
				this.#fail(context, error);
				throw error;
			} finally {
				this.end.publish(context);
			}
		});
	}
	tracePromise(action, context = {}, self, ...args) {
		if (!this.hasSubscribers)
			return Reflect.apply(action, self, args);
		const settle = () => {
			this.asyncStart.publish(context);
			this.asyncEnd.publish(context);
		};
		return this.start.runStores(context, () => {
			try {
				const promise = Promise.resolve(Reflect.apply(action, self, args));
				return promise.then((result) => {
					context.result = result;
					settle();
					return result;
				}, (error) => {
					this.#fail(context, error);
					settle();
					throw error;
				});
			} catch (error) {
				this.#fail(context, error);
				throw error;
			} finally {
				this.end.publish(context);
			}
		});
	}
	traceCallback(action, position = -1, context = {}, self, ...args) {
		if (!this.hasSubscribers)
			return Reflect.apply(action, self, args);
		const callback = args.at(position), tracing = this;
		needs.callable(callback, 'callback');
		args.splice(position, 1, function (error, result) {
			if (error)
				tracing.#fail(context, error);
			else
				context.result = result;
			return tracing.asyncStart.runStores(context, () => {
				try {
					return Reflect.apply(callback, this, [error, result]);
				} finally {
					tracing.asyncEnd.publish(context);
				}
			});
		});
		return this.start.runStores(context, () => {
			try {
				return Reflect.apply(action, self, args);
			} catch (error) {
				this.#fail(context, error);
				throw error;
			} finally {
				this.end.publish(context);
			}
		});
	}
}
module.exports = { channel, tracingChannel: (name) => new TracingChannel(name), Channel, TracingChannel, hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false,
	subscribe: (name, listener) => channel(name).subscribe(listener), unsubscribe: (name, listener) => channel(name).unsubscribe(listener) };
