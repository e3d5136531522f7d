// SPDX-License-Identifier: Apache-2.0
// WritableStream of the Streams Standard, and pipes. Their state is kept like that of readable streams.

const WRITABLE = 0,
	W_CLOSED = 1,
	ERRORING = 2,
	W_ERRORED = 3;

const newWritable = () => ({
	__proto__: null,
	state: WRITABLE,
	error: undefined,
	writer: null,
	controller: null,
	inFlightWrite: null,
	closeRequest: null,
	inFlightClose: null,
	pendingAbort: null,
	requests: newQueue(),
	backpressure: false,
	object: null,
});

const isClosing = w => w.closeRequest !== null || w.inFlightClose !== null;
const hasInFlight = w => w.inFlightWrite !== null || w.inFlightClose !== null;
const settledPromise = () => {
	const capability = newPromise();
	capability.resolve(undefined);
	return capability;
};
const rejectedPromise = error => {
	const capability = newPromise();
	capability.reject(error);
	markHandled(capability.promise);
	return capability;
};

// Rejects a promise of a writer, even if it was settled before.
function failWriterPromise(writer, name, error) {
	if (promiseState(writer[name].promise) === 0) {
		writer[name].reject(error);
		markHandled(writer[name].promise);
	} else {
		writer[name] = rejectedPromise(error);
	}
}

function acquireWriter(w) {
	if (w.writer) throw new TypeError('The stream is locked by a writer');
	const writer = { __proto__: null, w, closed: newPromise(), ready: newPromise() };
	w.writer = writer;
	if (w.state === WRITABLE) {
		if (isClosing(w) || !w.backpressure) writer.ready.resolve(undefined);
	} else if (w.state === ERRORING) {
		writer.ready = rejectedPromise(w.error);
	} else if (w.state === W_CLOSED) {
		writer.ready.resolve(undefined);
		writer.closed.resolve(undefined);
	} else {
		writer.ready = rejectedPromise(w.error);
		writer.closed = rejectedPromise(w.error);
	}
	return writer;
}

function releaseWriter(writer) {
	const error = new TypeError('The writer was released');
	failWriterPromise(writer, 'ready', error);
	failWriterPromise(writer, 'closed', error);
	writer.w.writer = null;
	writer.w = null;
}

// ---- The stream ----

function abortWritable(w, reason) {
	if (w.state === W_CLOSED || w.state === W_ERRORED) return promiseOf(undefined);
	abortSignal(w.controller.signal, reason);
	const { state } = w;
	if (state === W_CLOSED || state === W_ERRORED) return promiseOf(undefined);
	if (w.pendingAbort) return w.pendingAbort.promise.promise;
	const wasErroring = state === ERRORING;
	w.pendingAbort = { __proto__: null, promise: newPromise(), reason: wasErroring ? undefined : reason, wasErroring };
	const { promise } = w.pendingAbort.promise;
	if (!wasErroring) startErroring(w, reason);
	return promise;
}

function closeWritable(w) {
	if (w.state === W_CLOSED || w.state === W_ERRORED) return rejection(new TypeError('The stream was closed already'));
	const request = (w.closeRequest = newPromise());
	if (w.writer && w.backpressure && w.state === WRITABLE) w.writer.ready.resolve(undefined);
	enqueueWithSize(w.controller, CLOSE_MARK, 0);
	advanceQueue(w.controller);
	return request.promise;
}
const CLOSE_MARK = freeze({ __proto__: null });

function dealWithRejection(w, error) {
	if (w.state === WRITABLE) startErroring(w, error);
	else finishErroring(w);
}

function startErroring(w, reason) {
	w.state = ERRORING;
	w.error = reason;
	if (w.writer) failWriterPromise(w.writer, 'ready', reason);
	if (!hasInFlight(w) && w.controller.started) finishErroring(w);
}

function finishErroring(w) {
	w.state = W_ERRORED;
	resetQueue(w.controller);
	const { error } = w,
		{ requests } = w;
	w.requests = newQueue();
	while (queueLength(requests) > 0) takeFirst(requests).reject(error);
	const abort = w.pendingAbort;
	if (!abort) {
		rejectCloseIfNeeded(w);
		return;
	}
	w.pendingAbort = null;
	if (abort.wasErroring) {
		abort.promise.reject(error);
		rejectCloseIfNeeded(w);
		return;
	}
	const c = w.controller;
	const result = promiseOfAlgorithm(c.abort, abort.reason);
	forgetSink(c);
	upon(
		result,
		() => {
			abort.promise.resolve(undefined);
			rejectCloseIfNeeded(w);
		},
		reason => {
			abort.promise.reject(reason);
			rejectCloseIfNeeded(w);
		},
	);
}

function rejectCloseIfNeeded(w) {
	if (w.closeRequest) {
		w.closeRequest.reject(w.error);
		w.closeRequest = null;
	}
	if (w.writer) failWriterPromise(w.writer, 'closed', w.error);
}

function finishClose(w) {
	w.inFlightClose.resolve(undefined);
	w.inFlightClose = null;
	if (w.state === ERRORING) {
		w.error = undefined;
		if (w.pendingAbort) {
			w.pendingAbort.promise.resolve(undefined);
			w.pendingAbort = null;
		}
	}
	w.state = W_CLOSED;
	if (w.writer) w.writer.closed.resolve(undefined);
}

function failClose(w, error) {
	w.inFlightClose.reject(error);
	w.inFlightClose = null;
	if (w.pendingAbort) {
		w.pendingAbort.promise.reject(error);
		w.pendingAbort = null;
	}
	dealWithRejection(w, error);
}

function updateBackpressure(w, backpressure) {
	if (w.writer && backpressure !== w.backpressure) {
		if (backpressure) w.writer.ready = newPromise();
		else w.writer.ready.resolve(undefined);
	}
	w.backpressure = backpressure;
}

// ---- The controller ----

const newSinkController = (w, measure, mark) => ({
	__proto__: null,
	w,
	object: null,
	queue: newQueue(),
	total: 0,
	started: false,
	measure: measure ?? sizeOne,
	mark,
	signal: newSignal(),
	write: undefined,
	close: undefined,
	abort: undefined,
});

function forgetSink(c) {
	c.write = c.close = c.abort = c.measure = undefined;
}

const sinkDesiredSize = c => c.mark - c.total;
const hasBackpressure = c => sinkDesiredSize(c) <= 0;

function startSink(c, start) {
	const { w } = c;
	w.controller = c;
	updateBackpressure(w, hasBackpressure(c));
	upon(
		promiseOf(start()),
		() => {
			c.started = true;
			advanceQueue(c);
		},
		error => {
			c.started = true;
			dealWithRejection(w, error);
		},
	);
}

function advanceQueue(c) {
	const { w } = c;
	if (!c.started || w.inFlightWrite !== null) return;
	if (w.state === ERRORING) {
		finishErroring(w);
		return;
	}
	if (queueLength(c.queue) === 0) return;
	const { value } = peekFirst(c.queue);
	if (value === CLOSE_MARK) processClose(c);
	else processWrite(c, value);
}

function processClose(c) {
	const { w } = c;
	w.inFlightClose = w.closeRequest;
	w.closeRequest = null;
	dequeue(c);
	const result = promiseOfAlgorithm(c.close, undefined);
	forgetSink(c);
	upon(
		result,
		() => finishClose(w),
		error => failClose(w, error),
	);
}

function processWrite(c, chunk) {
	const { w } = c;
	w.inFlightWrite = takeFirst(w.requests);
	upon(
		promiseOfWrite(c, chunk),
		() => {
			w.inFlightWrite.resolve(undefined);
			w.inFlightWrite = null;
			dequeue(c);
			if (!isClosing(w) && w.state === WRITABLE) updateBackpressure(w, hasBackpressure(c));
			advanceQueue(c);
		},
		error => {
			if (w.state === WRITABLE) forgetSink(c);
			w.inFlightWrite.reject(error);
			w.inFlightWrite = null;
			dealWithRejection(w, error);
		},
	);
}

function promiseOfWrite(c, chunk) {
	if (!c.write) return promiseOf(undefined);
	try {
		return promiseOf(c.write(chunk));
	} catch (error) {
		return rejection(error);
	}
}

function failSink(c, error) {
	if (c.w.state !== WRITABLE) return;
	forgetSink(c);
	startErroring(c.w, error);
}

function chunkSize(c, chunk) {
	if (!c.measure) return 1;
	try {
		return c.measure(chunk);
	} catch (error) {
		failSink(c, error);
		return 1;
	}
}

function writeToSink(c, chunk, size) {
	try {
		enqueueWithSize(c, chunk, size);
	} catch (error) {
		failSink(c, error);
		return;
	}
	const { w } = c;
	if (!isClosing(w) && w.state === WRITABLE) updateBackpressure(w, hasBackpressure(c));
	advanceQueue(c);
}

function writeChunk(writer, chunk) {
	const { w } = writer,
		c = w.controller;
	const size = chunkSize(c, chunk);
	if (writer.w !== w) return rejection(new TypeError('The writer was released'));
	if (w.state === W_ERRORED) return rejection(w.error);
	if (isClosing(w) || w.state === W_CLOSED) return rejection(new TypeError('The stream was closed already'));
	if (w.state === ERRORING) return rejection(w.error);
	const request = newPromise();
	push(w.requests.items, request);
	writeToSink(c, chunk, size);
	return request.promise;
}

// A stream of the platform itself. Functions that are not given do nothing.
function newSink(start, write, close, abort, mark, measure) {
	const c = newSinkController(newWritable(), measure, mark);
	c.write = write;
	c.close = close;
	c.abort = abort;
	startSink(c, start);
	return c.w;
}

// ---- The interfaces ----

let writableOf, writableState, isWritable, newWriter, newSinkControllerObject;

class WritableStream {
	#w;

	constructor(sink = undefined, strategy = undefined) {
		if (sink === construct) {
			this.#w = strategy;
			strategy.object = this;
			return;
		}
		if (sink === null) throw new TypeError('The first argument of WritableStream is not an object');
		const given = toStrategy(strategy, 'The second argument of WritableStream');
		const w = (this.#w = newWritable());
		w.object = this;
		setUpFromSink(w, sink, given);
	}

	get locked() {
		return this.#w.writer !== null;
	}

	abort(reason = undefined) {
		return promiseOfMethod(() => {
			if (this.#w.writer) throw new TypeError('The stream is locked by a writer');
			return abortWritable(this.#w, reason);
		});
	}

	close() {
		return promiseOfMethod(() => {
			const w = this.#w;
			if (w.writer) throw new TypeError('The stream is locked by a writer');
			if (isClosing(w)) throw new TypeError('The stream was closed already');
			return closeWritable(w);
		});
	}

	getWriter() {
		return newWriter(this.#w);
	}

	static {
		writableOf = w => w.object ?? new WritableStream(construct, w);
		isWritable = value => isObject(value) && #w in value;
		writableState = stream => stream.#w;
	}
}
finishInterface(WritableStream, 'WritableStream');

const writableStateNames = ['writable', 'closed', 'erroring', 'errored'];
const writableStateName = stream => writableStateNames[writableState(stream).state];

function setUpFromSink(w, sink, strategy) {
	const what = 'The sink';
	const given = sink === undefined ? { __proto__: null } : toDictionary(sink, 'The first argument of WritableStream');
	const abort = toMethod(given, 'abort', what);
	const close = toMethod(given, 'close', what);
	const start = toMethod(given, 'start', what);
	if (given.type !== undefined) throw new RangeError('The sink has a type');
	const write = toMethod(given, 'write', what);
	const c = newSinkController(w, strategy.size, markOf(strategy, 1));
	const object = (c.object = newSinkControllerObject(c));
	c.write = write && (chunk => apply(write, sink, [chunk, object]));
	c.close = close && (() => apply(close, sink, []));
	c.abort = abort && (reason => apply(abort, sink, [reason]));
	startSink(c, () => start && apply(start, sink, [object]));
}

let writerOf;
class WritableStreamDefaultWriter {
	#writer;

	constructor(stream) {
		needArguments('WritableStreamDefaultWriter', 1, arguments.length);
		if (stream !== construct && !isWritable(stream))
			throw new TypeError('The argument of WritableStreamDefaultWriter is not a WritableStream');
		this.#writer = acquireWriter(stream === construct ? arguments[1] : writableState(stream));
	}

	get closed() {
		try {
			return this.#writer.closed.promise;
		} catch (error) {
			return rejection(error);
		}
	}

	get ready() {
		try {
			return this.#writer.ready.promise;
		} catch (error) {
			return rejection(error);
		}
	}

	get desiredSize() {
		const w = this.#open();
		if (w.state === W_ERRORED || w.state === ERRORING) return null;
		return w.state === W_CLOSED ? 0 : sinkDesiredSize(w.controller);
	}

	abort(reason = undefined) {
		return promiseOfMethod(() => abortWritable(this.#open(), reason));
	}

	close() {
		return promiseOfMethod(() => {
			const w = this.#open();
			if (isClosing(w)) throw new TypeError('The stream was closed already');
			return closeWritable(w);
		});
	}

	releaseLock() {
		if (this.#writer.w) releaseWriter(this.#writer);
	}

	write(chunk = undefined) {
		return promiseOfMethod(() => {
			this.#open();
			return writeChunk(this.#writer, chunk);
		});
	}

	#open() {
		if (!this.#writer.w) throw new TypeError('The writer was released');
		return this.#writer.w;
	}

	static {
		newWriter = w => new WritableStreamDefaultWriter(construct, w);
		writerOf = value => (#writer in value ? value.#writer : undefined);
	}
}
finishInterface(WritableStreamDefaultWriter, 'WritableStreamDefaultWriter');

class WritableStreamDefaultController {
	#c;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
		this.#c = arguments[1];
	}

	get signal() {
		return this.#c.signal;
	}
	error(error = undefined) {
		if (this.#c.w.state === WRITABLE) failSink(this.#c, error);
	}

	static {
		newSinkControllerObject = c => new WritableStreamDefaultController(construct, c);
	}
}
finishInterface(WritableStreamDefaultController, 'WritableStreamDefaultController');

// ---- Pipes ----

function toPipeOptions(options, what) {
	options = toDictionary(options, 'The second argument of ' + what);
	const preventAbort = !!options.preventAbort,
		preventCancel = !!options.preventCancel;
	const preventClose = !!options.preventClose;
	const { signal } = options;
	if (signal !== undefined && !isAbortSignal(signal)) throw new TypeError('The signal is not an AbortSignal');
	return { __proto__: null, preventAbort, preventCancel, preventClose, signal };
}

// Waits for two promises. If both are rejected, the first rejection counts.
function allOf(promises) {
	const all = newPromise();
	let left = promises.length;
	if (left === 0) all.resolve(undefined);
	for (let i = 0; i < promises.length; i++) {
		upon(
			promises[i],
			() => {
				if (--left === 0) all.resolve(undefined);
			},
			all.reject,
		);
	}
	return all.promise;
}

function pipe(s, w, options) {
	const reader = acquireReader(s),
		writer = acquireWriter(w),
		result = newPromise();
	const { signal } = options;
	let shuttingDown = false,
		lastWrite = promiseOf(undefined),
		onSignal;
	s.disturbed = true;

	const finish = (isError, error) => {
		releaseWriter(writer);
		releaseReader(reader);
		if (onSignal) offAbort(signal, onSignal);
		if (isError) result.reject(error);
		else result.resolve(undefined);
	};
	// All chunks that were read are written first.
	const afterWrites = then => {
		const waited = lastWrite;
		const again = () => (waited === lastWrite ? then() : afterWrites(then));
		upon(waited, again, again);
	};
	const whenWritten = then => {
		if (w.state === WRITABLE && !isClosing(w)) afterWrites(then);
		else then();
	};
	const shutdown = (isError, error) => {
		if (shuttingDown) return;
		shuttingDown = true;
		whenWritten(() => finish(isError, error));
	};
	const shutdownWith = (action, isError, error) => {
		if (shuttingDown) return;
		shuttingDown = true;
		whenWritten(() =>
			upon(
				action(),
				() => finish(isError, error),
				other => finish(true, other),
			),
		);
	};

	const onSourceError = error => {
		if (options.preventAbort) shutdown(true, error);
		else shutdownWith(() => abortWritable(w, error), true, error);
	};
	const onSinkError = error => {
		if (options.preventCancel) shutdown(true, error);
		else shutdownWith(() => cancelReadable(s, error), true, error);
	};
	const onSourceClosed = () => {
		if (options.preventClose) shutdown(false);
		else shutdownWith(() => closeForPipe(w), false);
	};

	if (signal) {
		onSignal = () => {
			const error = abortReason(signal);
			shutdownWith(
				() => {
					const actions = [];
					if (!options.preventAbort)
						push(actions, w.state === WRITABLE ? abortWritable(w, error) : promiseOf(undefined));
					if (!options.preventCancel)
						push(actions, s.state === READABLE ? cancelReadable(s, error) : promiseOf(undefined));
					return allOf(actions);
				},
				true,
				error,
			);
		};
		if (isAborted(signal)) {
			onSignal();
			return result.promise;
		}
		onAbort(signal, onSignal);
	}

	if (s.state === ERRORED) onSourceError(s.error);
	else upon(reader.closed.promise, undefined, onSourceError);
	if (w.state === ERRORING || w.state === W_ERRORED) onSinkError(w.error);
	else upon(writer.closed.promise, undefined, onSinkError);
	if (s.state === CLOSED) onSourceClosed();
	else upon(reader.closed.promise, onSourceClosed);
	if (isClosing(w) || w.state === W_CLOSED) {
		const error = new TypeError('The destination of the pipe was closed already');
		if (options.preventCancel) shutdown(true, error);
		else shutdownWith(() => cancelReadable(s, error), true, error);
	}

	const step = () => {
		if (shuttingDown) return promiseOf(true);
		return after(
			writer.ready.promise,
			() =>
				new Promise((resolve, reject) => {
					if (shuttingDown) return resolve(true);
					return readFrom(reader, {
						__proto__: null,
						chunk: chunk => {
							lastWrite = promiseThen(writeChunk(writer, chunk), undefined, ignore);
							resolve(false);
						},
						close: () => resolve(true),
						error: reject,
					});
				}),
		);
	};
	const next = done => {
		if (!done) upon(step(), next, ignore);
	};
	next(false);
	return result.promise;
}

function closeForPipe(w) {
	if (isClosing(w) || w.state === W_CLOSED) return promiseOf(undefined);
	if (w.state === W_ERRORED) return rejection(w.error);
	return closeWritable(w);
}
