// SPDX-License-Identifier: Apache-2.0
const channels = new Map();

class Channel {
	#subscribers = [];
	constructor(name) { this.name = name; }
	get hasSubscribers() { return this.#subscribers.length > 0; }
	subscribe(listener) { this.#subscribers = [...this.#subscribers, listener]; }
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
	bindStore() {}
	unbindStore() { return false; }
	runStores(message, action, self, ...args) {
		this.publish(message);
		return Reflect.apply(action, self, args);
	}
}
function channel(name) {
	if (!channels.has(name))
		channels.set(name, new Channel(name));
	return channels.get(name);
}
function tracingChannel(name) {
	const made = {};
	for (const kind of ['start', 'end', 'asyncStart', 'asyncEnd', 'error'])
		made[kind] = typeof name === 'string' ? channel('tracing:' + name + ':' + kind) : name[kind];
	const all = Object.values(made);
	return Object.assign(made, {
		get hasSubscribers() { return all.some((one) => one.hasSubscribers); },
		subscribe(handlers) { for (const kind of Object.keys(handlers)) made[kind].subscribe(handlers[kind]); },
		unsubscribe(handlers) { return Object.keys(handlers).every((kind) => made[kind].unsubscribe(handlers[kind])); },
		traceSync(action, context = {}, self, ...args) {
			made.start.publish(context);
			try {
				return context.result = Reflect.apply(action, self, args);
			} catch (error) {
				context.error = error;
				made.error.publish(context);
				throw error;
			} finally {
				made.end.publish(context);
			}
		},
	});
}
module.exports = { channel, tracingChannel, Channel, hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false,
	subscribe: (name, listener) => channel(name).subscribe(listener), unsubscribe: (name, listener) => channel(name).unsubscribe(listener) };
