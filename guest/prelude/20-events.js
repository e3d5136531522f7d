// SPDX-License-Identifier: Apache-2.0
// Event, CustomEvent and EventTarget of the DOM Standard. There is no tree, so the path of an event is only its target.

// An exception of a listener ends the program like any other uncaught one, but the dispatch finishes first. An
// exception in a listener for uncaught errors is not passed to such listeners again.
let isLastResort = false;
function reportLater(error) {
	const isFinal = isReporting();
	enqueueMicrotask(() => {
		isLastResort = isFinal;
		throw error;
	});
}

let startDispatch, endDispatch, callListener, makeTrusted, isEvent;

class Event {
	#type = '';
	#bubbles = false;
	#cancelable = false;
	#composed = false;
	#target = null;
	#dispatching = false;
	#canceled = false;
	#stopped = false;
	#stoppedNow = false;
	#passive = false;
	#trusted = false;
	#timeStamp = clock();

	constructor(type, init = undefined) {
		needArguments('Event', 1, arguments.length);
		this.#type = toText(type);
		const options = toDictionary(init, 'The second argument of Event');
		this.#bubbles = !!options.bubbles;
		this.#cancelable = !!options.cancelable;
		this.#composed = !!options.composed;
	}

	get type() {
		return this.#type;
	}
	get target() {
		return this.#target;
	}
	get srcElement() {
		return this.#target;
	}
	get currentTarget() {
		return this.#dispatching ? this.#target : null;
	}
	get eventPhase() {
		return this.#dispatching ? 2 : 0;
	}
	get bubbles() {
		return this.#bubbles;
	}
	get cancelable() {
		return this.#cancelable;
	}
	get composed() {
		return this.#composed;
	}
	get defaultPrevented() {
		return this.#canceled;
	}
	get timeStamp() {
		return this.#timeStamp;
	}
	get isTrusted() {
		return this.#trusted;
	}
	get returnValue() {
		return !this.#canceled;
	}
	set returnValue(value) {
		if (!value) this.preventDefault();
	}
	get cancelBubble() {
		return this.#stopped;
	}
	set cancelBubble(value) {
		if (value) this.#stopped = true;
	}

	composedPath() {
		return this.#dispatching ? [this.#target] : [];
	}
	stopPropagation() {
		this.#stopped = true;
	}
	stopImmediatePropagation() {
		this.#stopped = this.#stoppedNow = true;
	}
	preventDefault() {
		if (this.#cancelable && !this.#passive) this.#canceled = true;
	}
	initEvent(type, bubbles = false, cancelable = false) {
		needArguments('initEvent', 1, arguments.length);
		if (this.#dispatching) return;
		this.#type = toText(type);
		this.#bubbles = !!bubbles;
		this.#cancelable = !!cancelable;
		this.#canceled = this.#stopped = this.#stoppedNow = false;
	}

	static {
		isEvent = value => isObject(value) && #type in value;
		makeTrusted = event => {
			event.#trusted = true;
			return event;
		};
		startDispatch = (event, target) => {
			if (event.#dispatching) throw new DOMException('The event is being dispatched', 'InvalidStateError');
			event.#dispatching = true;
			event.#target = target;
		};
		endDispatch = event => {
			event.#dispatching = event.#stopped = event.#stoppedNow = false;
			return !event.#canceled;
		};
		// Returns false if the remaining listeners must not be called.
		callListener = (event, target, listener) => {
			event.#passive = listener.passive;
			try {
				const { callback } = listener;
				if (typeof callback === 'function') {
					apply(callback, target, [event]);
				} else {
					const handler = callback.handleEvent;
					if (typeof handler !== 'function') throw new TypeError('The listener has no function handleEvent');
					apply(handler, callback, [event]);
				}
			} catch (error) {
				reportLater(error);
			}
			event.#passive = false;
			return !event.#stoppedNow;
		};
	}
}
finishInterface(Event, 'Event');
defineConstants(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });

class CustomEvent extends Event {
	#detail = null;
	constructor(type, init = undefined) {
		needArguments('CustomEvent', 1, arguments.length);
		super(type, init);
		const detail = toDictionary(init, 'The second argument of CustomEvent').detail;
		this.#detail = detail === undefined ? null : detail;
	}
	get detail() {
		return this.#detail;
	}
}
finishInterface(CustomEvent, 'CustomEvent');

const toCapture = options => !!(isObject(options) ? options.capture : options);

let dispatch, setHandler, isEventTarget, hasListeners, setTargetObject;

class EventTarget {
	#as = undefined; // the object that events show as their target instead of this one
	#lists = new Map(); // event type -> its listeners, in the order in which they were added, and by their callbacks

	addEventListener(type, callback, options = undefined) {
		needArguments('addEventListener', 2, arguments.length);
		this.#lists; // throws for other objects, before the arguments are read
		type = toText(type);
		const full = isObject(options) ? options : { __proto__: null };
		const capture = toCapture(options);
		const once = !!full.once;
		const passive = !!full.passive;
		const { signal } = full;
		if (signal !== undefined && !isAbortSignal(signal)) throw new TypeError('The option signal is not an AbortSignal');
		if (callback === null || callback === undefined) return;
		if (!isObject(callback)) throw new TypeError('The listener is neither a function nor an object');
		if (signal !== undefined && isAborted(signal)) return;
		const listener = { __proto__: null, type, callback, capture, once, passive, removed: false };
		if (this.#add(listener) && signal !== undefined) onAbort(signal, () => this.#remove(listener));
	}

	removeEventListener(type, callback, options = undefined) {
		needArguments('removeEventListener', 2, arguments.length);
		type = toText(type);
		const capture = toCapture(options);
		const found = this.#find(type, callback, capture);
		if (found) this.#remove(found);
	}

	dispatchEvent(event) {
		needArguments('dispatchEvent', 1, arguments.length);
		if (!isEvent(event)) throw new TypeError('The argument of dispatchEvent is not an Event');
		return this.#dispatch(event);
	}

	#find(type, callback, capture) {
		const list = mapGet(this.#lists, type);
		return list && mapGet(capture ? list.capturing : list.bubbling, callback);
	}

	#add(listener) {
		if (this.#find(listener.type, listener.callback, listener.capture)) return false;
		let list = mapGet(this.#lists, listener.type);
		if (!list) {
			list = { __proto__: null, items: [], stale: 0, capturing: new Map(), bubbling: new Map() };
			mapSet(this.#lists, listener.type, list);
		}
		push(list.items, listener);
		mapSet(listener.capture ? list.capturing : list.bubbling, listener.callback, listener);
		return true;
	}

	// A dispatch may be iterating over the items. So they are only marked, and removed once half of them are marked.
	#remove(listener) {
		if (listener.removed) return;
		listener.removed = true;
		const list = mapGet(this.#lists, listener.type);
		mapDelete(listener.capture ? list.capturing : list.bubbling, listener.callback);
		if (++list.stale * 2 < list.items.length) return;
		const rest = [];
		for (let i = 0; i < list.items.length; i++) {
			if (!list.items[i].removed) push(rest, list.items[i]);
		}
		list.items = rest;
		list.stale = 0;
	}

	#dispatch(event) {
		const target = this.#as ?? this;
		startDispatch(event, target);
		const list = mapGet(this.#lists, event.type);
		const items = list ? list.items : [];
		// Listeners that are added during the dispatch wait for the next event.
		const count = items.length;
		for (let capture = 1; capture >= 0; capture--) {
			for (let i = 0; i < count; i++) {
				const listener = items[i];
				if (listener.removed || listener.capture !== !!capture) continue;
				if (listener.once) this.#remove(listener);
				if (!callListener(event, target, listener)) return endDispatch(event);
			}
		}
		return endDispatch(event);
	}

	static {
		isEventTarget = value => isObject(value) && #lists in value;
		setTargetObject = (target, object) => {
			target.#as = object;
		};
		hasListeners = (target, type) => {
			const list = mapGet(target.#lists, type);
			return list !== undefined && list.items.length > list.stale;
		};
		dispatch = (target, event) => target.#dispatch(event);
		// An event handler attribute (onabort) is one listener, which keeps its position when its function changes.
		setHandler = (target, type, slot, handler) => {
			const old = slot.listener;
			if (!isObject(handler)) {
				if (old) target.#remove(old);
				slot.listener = slot.handler = null;
				return;
			}
			slot.handler = handler;
			if (old) return;
			const callback = event => {
				if (typeof slot.handler === 'function') apply(slot.handler, target.#as ?? target, [event]);
			};
			slot.listener = { __proto__: null, type, callback, capture: false, once: false, passive: false, removed: false };
			target.#add(slot.listener);
		};
	}
}
finishInterface(EventTarget, 'EventTarget');

// ---- Event handler attributes (onopen) ----

const newHandler = () => ({ __proto__: null, handler: null, listener: null });
function newHandlers(types) {
	const slots = { __proto__: null };
	for (let i = 0; i < types.length; i++) slots[types[i]] = newHandler();
	return slots;
}

// slotsOf(object) is the result of newHandlers for it. then(object, type) is called after a handler was set.
function addHandlers(Interface, types, slotsOf, then = undefined) {
	for (let i = 0; i < types.length; i++) {
		const type = types[i],
			name = 'on' + type;
		const attribute = {
			get [name]() {
				return slotsOf(this)[type].handler;
			},
			set [name](handler) {
				setHandler(this, type, slotsOf(this)[type], handler);
				if (then) then(this, type);
			},
		};
		const { get, set } = getOwnPropertyDescriptor(attribute, name);
		defineProperty(Interface.prototype, name, { __proto__: null, get, set, enumerable: true, configurable: true });
	}
}
