// SPDX-License-Identifier: Apache-2.0
// Messages between ports, and the events of the global scope: uncaught errors, and rejected promises.

class MessageEvent extends Event {
	#data = null;
	#origin = '';
	#lastEventId = '';
	#source = null;
	#ports = freeze([]);

	constructor(type, init = undefined) {
		needArguments('MessageEvent', 1, arguments.length);
		super(type, init);
		const { data, lastEventId, origin, ports, source } = toDictionary(init, 'The second argument of MessageEvent');
		this.#data = data === undefined ? null : data;
		this.#lastEventId = lastEventId === undefined ? '' : toText(lastEventId);
		this.#origin = origin === undefined ? '' : toScalarString(origin);
		if (ports !== undefined) {
			const list = toSequence(ports, 'The ports');
			for (let i = 0; i < list.length; i++) {
				if (!isPort(list[i])) throw new TypeError('The ports hold something that is not a MessagePort');
			}
			this.#ports = freeze(list);
		}
		if (source !== undefined && source !== null) {
			if (!isPort(source)) throw new TypeError('The source is not a MessagePort');
			this.#source = source;
		}
	}

	get data() {
		return this.#data;
	}
	get origin() {
		return this.#origin;
	}
	get lastEventId() {
		return this.#lastEventId;
	}
	get source() {
		return this.#source;
	}
	get ports() {
		return this.#ports;
	}

	initMessageEvent(
		type,
		bubbles = false,
		cancelable = false,
		data = null,
		origin = '',
		lastEventId = '',
		source = null,
		ports = [],
	) {
		needArguments('initMessageEvent', 1, arguments.length);
		this.initEvent(type, bubbles, cancelable);
		this.#data = data;
		this.#origin = toScalarString(origin);
		this.#lastEventId = toText(lastEventId);
		this.#source = source;
		this.#ports = freeze(toSequence(ports, 'The ports'));
	}
}
finishInterface(MessageEvent, 'MessageEvent');

// The transfer of a postMessage: a list, or an object that has one.
function toTransfer(options) {
	if (options === undefined || options === null) return undefined;
	if (!isObject(options)) throw new TypeError('The second argument of postMessage is not an object');
	const iterate = options[Symbol.iterator];
	return iterate === undefined || iterate === null ? options.transfer : options;
}

let newPort, isPort, portState, entangle;

const portEvents = ['message', 'messageerror', 'close'];

class MessagePort extends EventTarget {
	// other: the state of the port at the other end, or null; queue: messages that wait for start()
	#p = { __proto__: null, object: this, other: null, queue: [], started: false, closed: false, moved: false };
	#handlers = newHandlers(portEvents);

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
		super();
	}

	postMessage(message, options = undefined) {
		const p = this.#p;
		needArguments('postMessage', 1, arguments.length);
		const { value, ports } = cloneWithPorts(message, toTransfer(options), this);
		if (p.other) deliver(p.other, value, ports);
	}

	start() {
		startPort(this.#p);
	}
	close() {
		closePort(this.#p);
	}

	static {
		addHandlers(
			MessagePort,
			portEvents,
			port => port.#handlers,
			(port, type) => {
				if (type === 'message') startPort(port.#p);
			},
		);
		newPort = () => new MessagePort(construct);
		isPort = value => isObject(value) && #p in value;
		portState = port => port.#p;
		entangle = (a, b) => {
			a.#p.other = b.#p;
			b.#p.other = a.#p;
		};
	}
}
finishInterface(MessagePort, 'MessagePort');

function deliver(p, data, ports) {
	push(p.queue, { __proto__: null, data, ports });
	if (p.started) queueTask(() => receive(p));
}

function receive(p) {
	if (p.closed || p.moved || p.next === p.queue.length) return;
	p.next ??= 0;
	const message = p.queue[p.next];
	p.queue[p.next++] = undefined;
	if (p.next === p.queue.length) {
		p.queue = [];
		p.next = 0;
	}
	if (message === undefined) return;
	const init = { __proto__: null, data: message.data, ports: message.ports };
	dispatch(p.object, makeTrusted(new MessageEvent('message', init)));
}

function startPort(p) {
	if (p.started || p.moved) return;
	p.started = true;
	for (let i = p.next ?? 0; i < p.queue.length; i++) queueTask(() => receive(p));
}

function closePort(p) {
	const { other } = p;
	p.closed = true;
	p.other = null;
	if (!other) return;
	other.other = null;
	queueTask(() => {
		dispatch(other.object, makeTrusted(new Event('close')));
	});
}

// Transfers a port: the result is a new object at its end, with the messages that were not received yet.
function movePort(port) {
	const from = portState(port),
		made = newPort(),
		to = portState(made);
	to.other = from.other;
	to.queue = from.queue;
	to.next = from.next;
	if (to.other) to.other.other = to;
	from.other = null;
	from.moved = true;
	from.queue = [];
	return made;
}

class MessageChannel {
	#port1 = newPort();
	#port2 = newPort();
	constructor() {
		entangle(this.#port1, this.#port2);
	}
	get port1() {
		return this.#port1;
	}
	get port2() {
		return this.#port2;
	}
}
finishInterface(MessageChannel, 'MessageChannel');

// ---- Channels by name ----

const channels = new Map(); // name -> the states of the channels that are open
const channelEvents = ['message', 'messageerror'];

class BroadcastChannel extends EventTarget {
	#c = { __proto__: null, object: this, name: '', closed: false };
	#handlers = newHandlers(channelEvents);

	constructor(name) {
		needArguments('BroadcastChannel', 1, arguments.length);
		super();
		this.#c.name = toText(name);
		const open = mapGet(channels, this.#c.name);
		if (open === undefined) mapSet(channels, this.#c.name, [this.#c]);
		else push(open, this.#c);
	}

	get name() {
		return this.#c.name;
	}

	postMessage(message) {
		const c = this.#c,
			open = mapGet(channels, c.name);
		needArguments('postMessage', 1, arguments.length);
		if (c.closed) throw domError('InvalidStateError', 'The channel is closed');
		const first = cloneWithPorts(message, undefined, this).value;
		for (let i = 0; i < open.length; i++) {
			const to = open[i];
			if (to === c) continue;
			const data = cloneWithPorts(first, undefined, this).value;
			queueTask(() => {
				if (!to.closed) dispatch(to.object, makeTrusted(new MessageEvent('message', { __proto__: null, data })));
			});
		}
	}

	close() {
		const c = this.#c,
			open = mapGet(channels, c.name),
			rest = [];
		if (c.closed) return;
		c.closed = true;
		for (let i = 0; i < open.length; i++) if (open[i] !== c) push(rest, open[i]);
		mapSet(channels, c.name, rest);
	}

	static {
		addHandlers(BroadcastChannel, channelEvents, channel => channel.#handlers);
	}
}
finishInterface(BroadcastChannel, 'BroadcastChannel');

// ---- The global scope ----

let isErrorEvent;

class ErrorEvent extends Event {
	#message = '';
	#filename = '';
	#lineno = 0;
	#colno = 0;
	#error = undefined;

	constructor(type, init = undefined) {
		needArguments('ErrorEvent', 1, arguments.length);
		super(type, init);
		const { colno, error, filename, lineno, message } = toDictionary(init, 'The second argument of ErrorEvent');
		this.#colno = colno >>> 0;
		this.#error = error;
		this.#filename = filename === undefined ? '' : toScalarString(filename);
		this.#lineno = lineno >>> 0;
		this.#message = message === undefined ? '' : toText(message);
	}

	get message() {
		return this.#message;
	}
	get filename() {
		return this.#filename;
	}
	get lineno() {
		return this.#lineno;
	}
	get colno() {
		return this.#colno;
	}
	get error() {
		return this.#error;
	}

	static {
		isErrorEvent = value => #error in value;
	}
}
finishInterface(ErrorEvent, 'ErrorEvent');

class PromiseRejectionEvent extends Event {
	#promise;
	#reason;

	constructor(type, init) {
		needArguments('PromiseRejectionEvent', 2, arguments.length);
		super(type, init);
		const { promise, reason } = toDictionary(init, 'The second argument of PromiseRejectionEvent');
		if (!isObject(promise)) throw new TypeError('The promise of a PromiseRejectionEvent is not an object');
		this.#promise = promise;
		this.#reason = reason;
	}

	get promise() {
		return this.#promise;
	}
	get reason() {
		return this.#reason;
	}
}
finishInterface(PromiseRejectionEvent, 'PromiseRejectionEvent');

// Listeners of the global scope are added here. Their events have the global object as target.
const globalTarget = new EventTarget();
setTargetObject(globalTarget, globalThis);

const globalHandlers = { __proto__: null };
for (const type of ['error', 'unhandledrejection', 'rejectionhandled'])
	globalHandlers[type] = { __proto__: null, ...newHandler(), shown: null };

const noPlace = { __proto__: null, filename: '', lineno: 0, colno: 0 };

// Where an error was created: the first frame of its stack that has a position.
function placeOf(error) {
	const trace = traceOf(error);
	if (typeof trace !== 'string') return noPlace;
	const lines = splitLines(trace);
	for (let i = 0; i < lines.length; i++) {
		const open = indexOf(lines[i], '('),
			place = open < 0 ? slice(lines[i], indexOf(lines[i], 'at ') + 3) : slice(lines[i], open + 1, -1);
		const parts = startsWith(place, 'curfew:prelude') ? [] : splitAtColons(place);
		if (parts.length === 3) return { __proto__: null, filename: parts[0], lineno: +parts[1], colno: +parts[2] };
	}
	return noPlace;
}

function splitAtColons(text) {
	const last = lastIndexOf(text, ':'),
		before = last < 0 ? -1 : lastIndexOf(slice(text, 0, last), ':');
	return before < 0 ? [] : [slice(text, 0, before), slice(text, before + 1, last), slice(text, last + 1)];
}
const lastIndexOf = uncurry(String.prototype.lastIndexOf);

// Whether the program handled the error: one of its listeners called preventDefault(). Otherwise the run ends.
let reporting = false;
const isReporting = () => reporting;
function takeError(error) {
	const isFinal = isLastResort;
	isLastResort = false;
	if (isFinal || reporting || !hasListeners(globalTarget, 'error')) return false;
	reporting = true;
	try {
		const { filename, lineno, colno } = placeOf(error);
		const message =
			'Uncaught ' +
			(isErrorObject(classOf(error))
				? thrownName(error, classOf(error)) + ': ' + thrownMessage(error, classOf(error))
				: inspect(error));
		return !dispatch(
			globalTarget,
			makeTrusted(
				new ErrorEvent('error', { __proto__: null, cancelable: true, message, filename, lineno, colno, error }),
			),
		);
	} finally {
		reporting = false;
	}
}

const takenRejections = new WeakSet();
const weakSetAdd = uncurry(WeakSet.prototype.add);
const weakSetDelete = uncurry(WeakSet.prototype.delete);

const rejectionEvent = (type, promise, cancelable) =>
	makeTrusted(
		new PromiseRejectionEvent(type, { __proto__: null, cancelable, promise, reason: promiseResult(promise) }),
	);

function takeRejection(promise) {
	if (!hasListeners(globalTarget, 'unhandledrejection')) return false;
	if (dispatch(globalTarget, rejectionEvent('unhandledrejection', promise, true))) return false;
	weakSetAdd(takenRejections, promise);
	return true;
}

function noteHandled(promise) {
	if (weakSetDelete(takenRejections, promise))
		queueTask(() => {
			dispatch(globalTarget, rejectionEvent('rejectionhandled', promise, false));
		});
}

const globalEventFunctions = {
	reportError(error) {
		needArguments('reportError', 1, arguments.length);
		if (!takeError(error)) reportLater(error);
	},
	addEventListener(...args) {
		return apply(addListener, globalTarget, args);
	},
	removeEventListener(...args) {
		return apply(removeListener, globalTarget, args);
	},
	dispatchEvent(...args) {
		return apply(dispatchTo, globalTarget, args);
	},
};
const {
	addEventListener: addListener,
	removeEventListener: removeListener,
	dispatchEvent: dispatchTo,
} = EventTarget.prototype;
for (const [name, length] of [
	['addEventListener', 2],
	['removeEventListener', 2],
	['dispatchEvent', 1],
])
	defineProperty(globalEventFunctions[name], 'length', { __proto__: null, value: length, configurable: true });

// onerror is called with the parts of the event. It handles the error by returning true.
function setGlobalHandler(type, handler) {
	const slot = globalHandlers[type];
	slot.shown = isObject(handler) ? handler : null;
	if (type !== 'error' || typeof handler !== 'function') {
		setHandler(globalTarget, type, slot, handler);
		return;
	}
	setHandler(globalTarget, type, slot, function (event) {
		const { message, filename, lineno, colno, error } = event;
		if (apply(handler, globalThis, [message, filename, lineno, colno, error]) === true) event.preventDefault();
	});
}

function exposeGlobalHandlers() {
	for (const type of objectKeys(globalHandlers)) {
		const slot = globalHandlers[type];
		const name = 'on' + type;
		const { get, set } = getOwnPropertyDescriptor(
			{
				get [name]() {
					return slot.shown;
				},
				set [name](handler) {
					setGlobalHandler(type, handler);
				},
			},
			name,
		);
		defineProperty(globalThis, name, { __proto__: null, get, set, enumerable: true, configurable: true });
	}
}
