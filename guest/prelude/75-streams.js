// SPDX-License-Identifier: Apache-2.0
// ReadableStream of the Streams Standard. A stream's state is one object, and so is that of its controller and of its
// reader. All work is done by functions of these objects, which the rest of the platform calls as well. Their names are
// those of the standard, without the prefix for the kind of object.

const ignore = () => {};

function newPromise() {
	const capability = { __proto__: null };
	capability.promise = new Promise((resolve, reject) => {
		capability.resolve = resolve;
		capability.reject = reject;
	});
	return capability;
}
const promiseResolve = uncurry(Promise.resolve);
const promiseOf = value => promiseResolve(Promise, value);
const rejection = error => new Promise((_resolve, reject) => reject(error));
// Marks a promise as handled: a rejection that nobody observes is no fault of the program.
const markHandled = promise => {
	promiseThen(promise, undefined, ignore);
	return promise;
};
const upon = (promise, onFulfilled, onRejected) => {
	markHandled(promiseThen(promise, onFulfilled, onRejected));
};
// Settles like a promise. It does not call the promise's `then`, which a program may have replaced.
const settleWith = (capability, promise) => upon(promise, capability.resolve, capability.reject);
// The promise of an action's result. The action starts when another promise has settled.
function after(promise, onFulfilled, onRejected) {
	const result = newPromise();
	const begin = action => value => {
		let next;
		try {
			next = promiseOf(action(value));
		} catch (error) {
			result.reject(error);
			return;
		}
		settleWith(result, next);
	};
	upon(promise, begin(onFulfilled), onRejected ? begin(onRejected) : result.reject);
	return result.promise;
}
// A promise-returning method of Web IDL: an exception in its conversion of arguments becomes a rejection.
function promiseOfMethod(action) {
	try {
		return promiseOf(action());
	} catch (error) {
		return rejection(error);
	}
}

const newQueue = () => ({ __proto__: null, items: [], first: 0 });
const queueLength = queue => queue.items.length - queue.first;
const peekFirst = queue => queue.items[queue.first];
function takeFirst(queue) {
	const item = queue.items[queue.first];
	queue.items[queue.first++] = undefined;
	if (queue.first === queue.items.length || (queue.first > 1000 && queue.first * 2 > queue.items.length)) {
		const rest = [];
		for (let i = queue.first; i < queue.items.length; i++) push(rest, queue.items[i]);
		queue.items = rest;
		queue.first = 0;
	}
	return item;
}

// Queues of a controller: values with their sizes.
function enqueueWithSize(c, value, size) {
	size = +size;
	if (!(size >= 0 && size < Infinity)) throw new RangeError('The size of a chunk is not a finite number from 0');
	push(c.queue.items, { __proto__: null, value, size });
	c.total += size;
}
function dequeue(c) {
	const { value, size } = takeFirst(c.queue);
	c.total = max(c.total - size, 0);
	return value;
}
function resetQueue(c) {
	c.queue = newQueue();
	c.total = 0;
}

function toMethod(object, name, what) {
	const method = object[name];
	if (method === undefined) return undefined;
	if (typeof method !== 'function') throw new TypeError(what + ' has a ' + name + ' that is not a function');
	return method;
}

// A queuing strategy: its members in the order in which Web IDL reads them.
function toStrategy(strategy, what) {
	strategy = toDictionary(strategy, what);
	const { highWaterMark } = strategy;
	const mark = highWaterMark === undefined ? undefined : +highWaterMark;
	const size = toMethod(strategy, 'size', what);
	return { __proto__: null, mark, size: size && (chunk => apply(size, undefined, [chunk])) };
}
function markOf(strategy, otherwise) {
	const { mark } = strategy;
	if (mark === undefined) return otherwise;
	if (!(mark >= 0)) throw new RangeError('The highWaterMark is not a number from 0');
	return mark;
}
const sizeOne = () => 1;

const READABLE = 0,
	CLOSED = 1,
	ERRORED = 2;
const stateNames = ['readable', 'closed', 'errored'];

// ---- Streams and readers ----

const newReadable = () => ({
	__proto__: null,
	state: READABLE,
	error: undefined,
	reader: null,
	disturbed: false,
	controller: null,
	object: null,
});

const hasReader = (s, isByob) => s.reader !== null && s.reader.isByob === isByob;
const requestCount = s => queueLength(s.reader.requests);

function closeReadable(s) {
	s.state = CLOSED;
	const { reader } = s;
	if (!reader) return;
	reader.closed.resolve(undefined);
	if (reader.isByob) return;
	const { requests } = reader;
	reader.requests = newQueue();
	while (queueLength(requests) > 0) takeFirst(requests).close();
}

function failReadable(s, error) {
	s.state = ERRORED;
	s.error = error;
	if (!s.reader) return;
	s.reader.closed.reject(error);
	markHandled(s.reader.closed.promise);
	failRequests(s.reader, error);
}

function failRequests(reader, error) {
	const { requests } = reader;
	reader.requests = newQueue();
	while (queueLength(requests) > 0) takeFirst(requests).error(error);
}

function cancelReadable(s, reason) {
	s.disturbed = true;
	if (s.state === CLOSED) return promiseOf(undefined);
	if (s.state === ERRORED) return rejection(s.error);
	closeReadable(s);
	const { reader } = s;
	if (reader && reader.isByob) {
		const { requests } = reader;
		reader.requests = newQueue();
		while (queueLength(requests) > 0) takeFirst(requests).close(undefined);
	}
	return promiseThen(s.controller.cancelSteps(reason), ignore);
}

function acquireReader(s, isByob = false) {
	if (s.reader) throw new TypeError('The stream is locked by a reader');
	if (isByob && !s.controller.isByte) throw new TypeError('The stream is not one of bytes');
	const reader = { __proto__: null, s, isByob, closed: newPromise(), requests: newQueue() };
	markHandled(reader.closed.promise);
	s.reader = reader;
	if (s.state === CLOSED) reader.closed.resolve(undefined);
	else if (s.state === ERRORED) reader.closed.reject(s.error);
	return reader;
}

// Pending reads fail with the second error.
function releaseReader(reader) {
	const { s } = reader;
	const error = new TypeError('The reader was released');
	if (s.state !== READABLE) reader.closed = newPromise();
	reader.closed.reject(error);
	markHandled(reader.closed.promise);
	s.controller.releaseSteps();
	s.reader = null;
	reader.s = null;
	failRequests(reader, new TypeError('The reader was released'));
}

// request: { chunk(value), close(), error(reason) }
function readFrom(reader, request) {
	const { s } = reader;
	s.disturbed = true;
	if (s.state === CLOSED) request.close();
	else if (s.state === ERRORED) request.error(s.error);
	else s.controller.pullSteps(request);
}

// The promise of { value, done }.
function readChunk(reader) {
	const result = newPromise();
	readFrom(reader, {
		__proto__: null,
		chunk: value => result.resolve({ value, done: false }),
		close: () => result.resolve({ value: undefined, done: true }),
		error: result.reject,
	});
	return result.promise;
}

// ---- The default controller ----

const newDefaultController = (s, strategy, mark) => ({
	__proto__: null,
	isByte: false,
	s,
	object: null,
	queue: newQueue(),
	total: 0,
	started: false,
	closing: false,
	pulling: false,
	pullAgain: false,
	mark,
	measure: strategy ?? sizeOne,
	pull: undefined,
	cancel: undefined,
	cancelSteps(reason) {
		resetQueue(this);
		const result = promiseOfAlgorithm(this.cancel, reason);
		forgetAlgorithms(this);
		return result;
	},
	pullSteps(request) {
		if (queueLength(this.queue) > 0) {
			const chunk = dequeue(this);
			if (this.closing && queueLength(this.queue) === 0) {
				forgetAlgorithms(this);
				closeReadable(this.s);
			} else {
				pullIfNeeded(this);
			}
			request.chunk(chunk);
		} else {
			push(this.s.reader.requests.items, request);
			pullIfNeeded(this);
		}
	},
	releaseSteps() {},
});

function promiseOfAlgorithm(algorithm, argument) {
	if (!algorithm) return promiseOf(undefined);
	try {
		return promiseOf(algorithm(argument));
	} catch (error) {
		return rejection(error);
	}
}

function forgetAlgorithms(c) {
	c.pull = c.cancel = undefined;
	if (!c.isByte) c.measure = undefined;
}

// For both kinds of controllers.
function shouldPull(c) {
	const { s } = c;
	if (s.state !== READABLE || c.closing || !c.started) return false;
	return (s.reader !== null && requestCount(s) > 0) || c.mark - c.total > 0;
}

function pullIfNeeded(c) {
	if (!shouldPull(c)) return;
	if (c.pulling) {
		c.pullAgain = true;
		return;
	}
	c.pulling = true;
	upon(
		promiseOfAlgorithm(c.pull, undefined),
		() => {
			c.pulling = false;
			if (c.pullAgain) {
				c.pullAgain = false;
				pullIfNeeded(c);
			}
		},
		error => failController(c, error),
	);
}

function failController(c, error) {
	if (c.s.state !== READABLE) return;
	if (c.isByte) forgetPullIntos(c);
	resetQueue(c);
	forgetAlgorithms(c);
	failReadable(c.s, error);
}

const canCloseOrEnqueue = c => !c.closing && c.s.state === READABLE;

function closeController(c) {
	if (c.isByte) return closeByteController(c);
	if (!canCloseOrEnqueue(c)) return;
	c.closing = true;
	if (queueLength(c.queue) > 0) return;
	forgetAlgorithms(c);
	closeReadable(c.s);
}

function enqueueChunk(c, chunk) {
	if (c.isByte) return enqueueBytes(c, chunk);
	if (!canCloseOrEnqueue(c)) return;
	if (c.s.reader && requestCount(c.s) > 0) {
		takeFirst(c.s.reader.requests).chunk(chunk);
	} else {
		try {
			const size = c.measure(chunk);
			enqueueWithSize(c, chunk, size);
		} catch (error) {
			failController(c, error);
			throw error;
		}
	}
	pullIfNeeded(c);
}

function desiredSize(c) {
	const { state } = c.s;
	return state === ERRORED ? null : state === CLOSED ? 0 : c.mark - c.total;
}

// Starts a controller. If there is no start function, it is ready at once, and pulls when data is wanted.
function startController(c, start) {
	c.s.controller = c;
	upon(
		promiseOf(start()),
		() => {
			c.started = true;
			pullIfNeeded(c);
		},
		error => failController(c, error),
	);
}

// A stream of the platform itself. pull and cancel work like those of a program.
function newSource(pull, cancel, mark = 0) {
	const c = newDefaultController(newReadable(), undefined, mark);
	return readySource(c, pull, cancel);
}
function newByteSource(pull, cancel, mark = 0) {
	return readySource(newByteController(newReadable(), undefined, mark), pull, cancel);
}
function readySource(c, pull, cancel) {
	c.pull = pull;
	c.cancel = cancel;
	c.started = true;
	c.s.controller = c;
	return c.s;
}

// ---- Tee ----

// Two streams of the same chunks. If copy is given, the second stream gets copy(chunk).
function teeStream(s, copy) {
	return s.controller.isByte ? teeBytes(s) : teeChunks(s, copy);
}

function teeCancels(s, cancelled) {
	const reasons = [undefined, undefined],
		done = [false, false];
	return {
		__proto__: null,
		done,
		cancel: which => reason => {
			done[which] = true;
			reasons[which] = reason;
			if (done[1 - which]) settleWith(cancelled, cancelReadable(s, reasons));
			return cancelled.promise;
		},
	};
}

function teeChunks(s, copy) {
	const reader = acquireReader(s),
		cancelled = newPromise(),
		branches = [];
	const { done, cancel } = teeCancels(s, cancelled);
	let reading = false,
		readAgain = false;
	const eachController = action => {
		for (let i = 0; i < 2; i++) {
			if (!done[i]) action(branches[i].controller, i);
		}
	};
	const giveChunk = chunk => {
		readAgain = false;
		let second = chunk;
		if (!done[1] && copy) {
			try {
				second = copy(chunk);
			} catch (error) {
				failController(branches[0].controller, error);
				failController(branches[1].controller, error);
				settleWith(cancelled, cancelReadable(s, error));
				return;
			}
		}
		eachController((c, i) => enqueueChunk(c, i === 0 ? chunk : second));
		reading = false;
		if (readAgain) pull();
	};
	const request = {
		__proto__: null,
		chunk: chunk => enqueueMicrotask(() => giveChunk(chunk)),
		close: () => {
			reading = false;
			eachController(closeController);
			if (!done[0] || !done[1]) cancelled.resolve(undefined);
		},
		error: () => {
			reading = false;
		},
	};
	const pull = () => {
		if (reading) {
			readAgain = true;
			return;
		}
		reading = true;
		readFrom(reader, request);
	};
	for (let i = 0; i < 2; i++) push(branches, newStartedStream(pull, cancel(i)));
	upon(reader.closed.promise, undefined, error => {
		failController(branches[0].controller, error);
		failController(branches[1].controller, error);
		if (!done[0] || !done[1]) cancelled.resolve(undefined);
	});
	return branches;
}

// A stream like one that a program constructs, with a queue of one chunk.
function newStartedStream(pull, cancel, mark = 1, measure = undefined, start = ignore) {
	const c = newDefaultController(newReadable(), measure, mark);
	c.pull = pull;
	c.cancel = cancel;
	startController(c, start);
	return c.s;
}

// ---- The interfaces ----

let streamOf, streamState, isStream, newDefaultReader, newByobReader, controllerObject;

class ReadableStream {
	#s;

	constructor(source = undefined, strategy = undefined) {
		if (source === construct) {
			this.#s = strategy;
			strategy.object = this;
			return;
		}
		if (source === null) throw new TypeError('The first argument of ReadableStream is not an object');
		const given = toStrategy(strategy, 'The second argument of ReadableStream');
		const s = (this.#s = newReadable());
		s.object = this;
		setUpFromSource(s, source, given);
	}

	static from(iterable) {
		needArguments('ReadableStream.from', 1, arguments.length);
		return streamOf(streamFromIterable(iterable));
	}

	get locked() {
		return this.#s.reader !== null;
	}

	cancel(reason = undefined) {
		return promiseOfMethod(() => {
			if (this.#s.reader) throw new TypeError('The stream is locked by a reader');
			return cancelReadable(this.#s, reason);
		});
	}

	getReader(options = undefined) {
		const s = this.#s;
		let { mode } = toDictionary(options, 'The argument of getReader');
		if (mode === undefined) return newDefaultReader(s);
		mode = toText(mode);
		if (mode !== 'byob') throw new TypeError('The mode of a reader is not byob: ' + slice(mode, 0, 64));
		return newByobReader(s);
	}

	pipeThrough(transform, options = undefined) {
		const s = this.#s;
		needArguments('pipeThrough', 1, arguments.length);
		const pair = toDictionary(transform, 'The first argument of pipeThrough');
		const { readable } = pair;
		if (!isStream(readable)) throw new TypeError('The readable of pipeThrough is not a ReadableStream');
		const { writable } = pair;
		if (!isWritable(writable)) throw new TypeError('The writable of pipeThrough is not a WritableStream');
		const given = toPipeOptions(options, 'pipeThrough');
		if (s.reader) throw new TypeError('The stream is locked by a reader');
		const w = writableState(writable);
		if (w.writer) throw new TypeError('The writable of pipeThrough is locked by a writer');
		markHandled(pipe(s, w, given));
		return readable;
	}

	pipeTo(destination, options = undefined) {
		const count = arguments.length;
		return promiseOfMethod(() => {
			const s = this.#s;
			needArguments('pipeTo', 1, count);
			if (!isWritable(destination)) throw new TypeError('The first argument of pipeTo is not a WritableStream');
			const given = toPipeOptions(options, 'pipeTo');
			if (s.reader) throw new TypeError('The stream is locked by a reader');
			const w = writableState(destination);
			if (w.writer) throw new TypeError('The destination of pipeTo is locked by a writer');
			return pipe(s, w, given);
		});
	}

	tee() {
		const branches = teeStream(this.#s, undefined);
		return [streamOf(branches[0]), streamOf(branches[1])];
	}

	values(options = undefined) {
		const s = this.#s;
		const preventCancel = !!toDictionary(options, 'The argument of values').preventCancel;
		return newStreamIterator(acquireReader(s), preventCancel);
	}

	static {
		streamOf = s => s.object ?? new ReadableStream(construct, s);
		isStream = value => isObject(value) && #s in value;
		streamState = stream => stream.#s;
	}
}
defineProperty(ReadableStream.prototype, Symbol.asyncIterator, {
	__proto__: null,
	value: ReadableStream.prototype.values,
	writable: true,
	configurable: true,
});
finishInterface(ReadableStream, 'ReadableStream');

const streamStateName = stream => stateNames[streamState(stream).state];

// Sets up the underlying source that a program gave.
function setUpFromSource(s, source, strategy) {
	const what = 'The source';
	const given =
		source === undefined ? { __proto__: null } : toDictionary(source, 'The first argument of ReadableStream');
	let { autoAllocateChunkSize } = given;
	if (autoAllocateChunkSize !== undefined)
		autoAllocateChunkSize = toEnforcedInteger(autoAllocateChunkSize, 'The autoAllocateChunkSize');
	const cancel = toMethod(given, 'cancel', what);
	const pull = toMethod(given, 'pull', what);
	const start = toMethod(given, 'start', what);
	let { type } = given;
	if (type !== undefined) {
		type = toText(type);
		if (type !== 'bytes') throw new TypeError('The type of a source is not bytes: ' + slice(type, 0, 64));
		if (strategy.size !== undefined) throw new RangeError('A stream of bytes has no size in its strategy');
		if (autoAllocateChunkSize === 0) throw new TypeError('The autoAllocateChunkSize is 0');
	}
	const c =
		type === undefined
			? newDefaultController(s, strategy.size, markOf(strategy, 1))
			: newByteController(s, autoAllocateChunkSize, markOf(strategy, 0));
	const object = controllerObject(c);
	c.pull = pull && (() => apply(pull, source, [object]));
	c.cancel = cancel && (reason => apply(cancel, source, [reason]));
	startController(c, () => start && apply(start, source, [object]));
}

// ReadableStream.from: asks the iterator for each chunk that is wanted.
function streamFromIterable(iterable, convert = chunk => chunk) {
	if (iterable === undefined || iterable === null)
		throw new TypeError('The argument of ReadableStream.from is not iterable');
	const asynchronous = iterable[Symbol.asyncIterator];
	const isAsync = asynchronous !== undefined && asynchronous !== null;
	const method = isAsync ? asynchronous : iterable[Symbol.iterator];
	if (typeof method !== 'function') throw new TypeError('The argument of ReadableStream.from is not iterable');
	const iterator = apply(method, iterable, []);
	if (!isObject(iterator)) throw new TypeError('The iterator is not an object');
	const { next } = iterator;
	const pull = () =>
		after(
			promiseOfAlgorithm(() => apply(next, iterator, [])),
			result => {
				if (!isObject(result)) throw new TypeError('The iterator did not give an object');
				if (result.done) {
					closeController(s.controller);
					return undefined;
				}
				const { value } = result;
				if (isAsync) {
					enqueueChunk(s.controller, convert(value));
					return undefined;
				}
				return promiseThen(promiseOf(value), chunk => enqueueChunk(s.controller, convert(chunk)));
			},
		);
	const cancel = reason => {
		const end = iterator.return;
		if (end === undefined || end === null) return undefined;
		if (typeof end !== 'function') throw new TypeError('The iterator has a return that is not a function');
		return promiseThen(promiseOf(apply(end, iterator, [reason])), result => {
			if (!isObject(result)) throw new TypeError('The iterator did not give an object');
		});
	};
	const s = newStartedStream(pull, cancel, 0);
	return s;
}

const released = () => new TypeError('The reader was released');

// The members of both kinds of readers.
function addReaderMembers(Interface, readerOf) {
	const members = {
		get closed() {
			try {
				return readerOf(this).closed.promise;
			} catch (error) {
				return rejection(error);
			}
		},
		cancel(reason = undefined) {
			return promiseOfMethod(() => {
				const { s } = readerOf(this);
				if (!s) throw released();
				return cancelReadable(s, reason);
			});
		},
		releaseLock() {
			const reader = readerOf(this);
			if (reader.s) releaseReader(reader);
		},
	};
	for (const name of objectKeys(members))
		defineProperty(Interface.prototype, name, { __proto__: null, ...getOwnPropertyDescriptor(members, name) });
}

let defaultReaderOf;
class ReadableStreamDefaultReader {
	#reader;

	constructor(stream) {
		needArguments('ReadableStreamDefaultReader', 1, arguments.length);
		if (stream !== construct && !isStream(stream))
			throw new TypeError('The argument of ReadableStreamDefaultReader is not a ReadableStream');
		this.#reader = acquireReader(stream === construct ? arguments[1] : streamState(stream));
	}

	read() {
		return promiseOfMethod(() => {
			if (!this.#reader.s) throw released();
			return readChunk(this.#reader);
		});
	}

	static {
		addReaderMembers(ReadableStreamDefaultReader, value => value.#reader);
		defaultReaderOf = value => (#reader in value ? value.#reader : undefined);
		newDefaultReader = s => new ReadableStreamDefaultReader(construct, s);
	}
}
finishInterface(ReadableStreamDefaultReader, 'ReadableStreamDefaultReader');

let newControllerObject;
class ReadableStreamDefaultController {
	#c;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
		this.#c = arguments[1];
	}

	get desiredSize() {
		return desiredSize(this.#c);
	}

	enqueue(chunk = undefined) {
		if (!canCloseOrEnqueue(this.#c)) throw new TypeError('The stream was closed already');
		enqueueChunk(this.#c, chunk);
	}

	close() {
		if (!canCloseOrEnqueue(this.#c)) throw new TypeError('The stream was closed already');
		closeController(this.#c);
	}

	error(error = undefined) {
		failController(this.#c, error);
	}

	static {
		newControllerObject = c => new ReadableStreamDefaultController(construct, c);
		controllerObject = c => (c.object ??= c.isByte ? newByteControllerObject(c) : newControllerObject(c));
	}
}
finishInterface(ReadableStreamDefaultController, 'ReadableStreamDefaultController');

let newStreamIterator;
class StreamIterator {
	#reader;
	#preventCancel;
	#last = undefined; // calls of next and return are executed one after the other
	#over = false;

	next() {
		return this.#queue(() => this.#read());
	}
	return(value = undefined) {
		return this.#queue(() => this.#end(value));
	}

	#queue(action) {
		this.#last = this.#last ? after(this.#last, action, action) : promiseOf(action());
		return this.#last;
	}

	#read() {
		if (this.#over) return promiseOf({ value: undefined, done: true });
		const result = newPromise();
		const end = () => {
			this.#over = true;
			releaseReader(this.#reader);
		};
		readFrom(this.#reader, {
			__proto__: null,
			chunk: value => result.resolve({ value, done: false }),
			close: () => {
				end();
				result.resolve({ value: undefined, done: true });
			},
			error: error => {
				end();
				result.reject(error);
			},
		});
		return result.promise;
	}

	#end(value) {
		if (this.#over) return promiseOf({ value, done: true });
		this.#over = true;
		const cancelled = this.#preventCancel ? promiseOf(undefined) : cancelReadable(this.#reader.s, value);
		releaseReader(this.#reader);
		return promiseThen(cancelled, () => ({ value, done: true }));
	}

	static {
		newStreamIterator = (reader, preventCancel) => {
			const iterator = new StreamIterator();
			iterator.#reader = reader;
			iterator.#preventCancel = preventCancel;
			return iterator;
		};
	}
}
setPrototypeOf(StreamIterator.prototype, getPrototypeOf(getPrototypeOf(async function* () {}).prototype));
finishInterface(StreamIterator, 'ReadableStream AsyncIterator');
delete StreamIterator.prototype.constructor;

// ---- Queuing strategies ----

function toHighWaterMark(init, what) {
	if (!isObject(init) && init !== undefined && init !== null)
		throw new TypeError('The argument of ' + what + ' is not an object');
	const { highWaterMark } = init ?? nothing;
	if (highWaterMark === undefined) throw new TypeError('The argument of ' + what + ' has no highWaterMark');
	return +highWaterMark;
}
const { size: byteLengthSize } = {
	size(chunk) {
		return chunk.byteLength;
	},
};
const { size: countSize } = {
	size() {
		return 1;
	},
};

let isByteLengthStrategy, isCountStrategy;
class ByteLengthQueuingStrategy {
	#mark;
	static {
		isByteLengthStrategy = value => #mark in value;
	}
	constructor(init) {
		needArguments('ByteLengthQueuingStrategy', 1, arguments.length);
		this.#mark = toHighWaterMark(init, 'ByteLengthQueuingStrategy');
	}
	get highWaterMark() {
		return this.#mark;
	}
	get size() {
		return this.#mark !== undefined && byteLengthSize;
	}
}
finishInterface(ByteLengthQueuingStrategy, 'ByteLengthQueuingStrategy');

class CountQueuingStrategy {
	#mark;
	static {
		isCountStrategy = value => #mark in value;
	}
	constructor(init) {
		needArguments('CountQueuingStrategy', 1, arguments.length);
		this.#mark = toHighWaterMark(init, 'CountQueuingStrategy');
	}
	get highWaterMark() {
		return this.#mark;
	}
	get size() {
		return this.#mark !== undefined && countSize;
	}
}
finishInterface(CountQueuingStrategy, 'CountQueuingStrategy');
