// SPDX-License-Identifier: Apache-2.0
// ReadableStream of the Streams Standard, with default readers: no byte streams, and nothing to pipe into. What is
// kept for a stream is one object, its state, which stream, reader and controller share; all is done by functions of it.

	const ignore = () => {};

	function newPromise() {
		const capability = { __proto__: null };
		capability.promise = new Promise((resolve, reject) => {
			capability.resolve = resolve;
			capability.reject = reject;
		});
		return capability;
	}
	const promiseOf = (value) => new Promise((resolve) => resolve(value));
	const rejection = (error) => new Promise((_resolve, reject) => reject(error));
	// A rejection that nobody may be waiting for is no mistake of the program's.
	const markHandled = (promise) => {
		promiseThen(promise, undefined, ignore);
		return promise;
	};
	// The promise of what an action returns, or throws.
	const promiseOfCall = (action) => new Promise((resolve) => resolve(action()));

	const newQueue = () => ({ __proto__: null, items: [], first: 0 });
	const queueLength = (queue) => queue.items.length - queue.first;
	function takeFirst(queue) {
		const item = queue.items[queue.first];
		queue.items[queue.first++] = undefined;
		if (queue.first === queue.items.length || (queue.first > 1000 && queue.first * 2 > queue.items.length)) {
			const rest = [];
			for (let i = queue.first; i < queue.items.length; i++)
				push(rest, queue.items[i]);
			queue.items = rest;
			queue.first = 0;
		}
		return item;
	}

	const READABLE = 0, CLOSED = 1, ERRORED = 2;

	const newStreamState = (highWaterMark) => ({
		__proto__: null, state: READABLE, error: undefined, chunks: newQueue(), size: 0, highWaterMark, measure: undefined,
		reader: null, requests: newQueue(), disturbed: false, closing: false,
		started: false, pulling: false, pullAgain: false, pull: undefined, cancel: undefined,
	});

	function finishClose(s) {
		s.state = CLOSED;
		s.pull = s.cancel = undefined;
		while (queueLength(s.requests) > 0)
			takeFirst(s.requests).resolve({ value: undefined, done: true });
		if (s.reader)
			s.reader.resolve(undefined);
	}

	function closeStream(s) {
		if (s.state !== READABLE || s.closing)
			return;
		s.closing = true;
		if (queueLength(s.chunks) === 0)
			finishClose(s);
	}

	function errorStream(s, error) {
		if (s.state !== READABLE)
			return;
		s.state = ERRORED;
		s.error = error;
		s.chunks = newQueue();
		s.size = 0;
		s.pull = s.cancel = undefined;
		while (queueLength(s.requests) > 0)
			takeFirst(s.requests).reject(error);
		if (s.reader)
			s.reader.reject(error);
	}

	function enqueueChunk(s, chunk) {
		if (queueLength(s.requests) > 0) {
			takeFirst(s.requests).resolve({ value: chunk, done: false });
		} else {
			let size = 1;
			if (s.measure) {
				try {
					size = +apply(s.measure, undefined, [chunk]);
					if (!(size >= 0 && size < Infinity))
						throw new RangeError('The size of a chunk is not a finite number');
				} catch (error) {
					errorStream(s, error);
					throw error;
				}
			}
			push(s.chunks.items, { __proto__: null, chunk, size });
			s.size += size;
		}
		maybePull(s);
	}

	const stateNames = ['readable', 'closed', 'errored'];
	const streamStateName = (stream) => stateNames[streamState(stream).state];

	const desiredSize = (s) => s.state === ERRORED ? null : s.state === CLOSED ? 0 : s.highWaterMark - s.size;

	function maybePull(s) {
		if (!s.pull || !s.started || s.closing || s.state !== READABLE)
			return;
		if (queueLength(s.requests) === 0 && !(desiredSize(s) > 0))
			return;
		if (s.pulling) {
			s.pullAgain = true;
			return;
		}
		s.pulling = true;
		promiseThen(promiseOfCall(s.pull), () => {
			s.pulling = false;
			if (s.pullAgain) {
				s.pullAgain = false;
				maybePull(s);
			}
		}, (error) => errorStream(s, error));
	}

	// The promise of { value, done }.
	function readChunk(s) {
		s.disturbed = true;
		if (queueLength(s.chunks) > 0) {
			const { chunk, size } = takeFirst(s.chunks);
			s.size -= size;
			if (s.closing && queueLength(s.chunks) === 0)
				finishClose(s);
			else
				maybePull(s);
			return promiseOf({ value: chunk, done: false });
		}
		if (s.state === CLOSED)
			return promiseOf({ value: undefined, done: true });
		if (s.state === ERRORED)
			return rejection(s.error);
		const request = newPromise();
		push(s.requests.items, request);
		maybePull(s);
		return request.promise;
	}

	function cancelStream(s, reason) {
		s.disturbed = true;
		if (s.state === CLOSED)
			return promiseOf(undefined);
		if (s.state === ERRORED)
			return rejection(s.error);
		const { cancel } = s;
		s.chunks = newQueue();
		s.size = 0;
		finishClose(s);
		return promiseThen(promiseOfCall(() => cancel && cancel(reason)), ignore);
	}

	function lockStream(s) {
		if (s.reader)
			throw new TypeError('The stream is locked by a reader');
		const closed = newPromise();
		markHandled(closed.promise);
		s.reader = closed;
		if (s.state === CLOSED)
			closed.resolve(undefined);
		else if (s.state === ERRORED)
			closed.reject(s.error);
		return closed;
	}

	function unlockStream(s) {
		const error = new TypeError('The reader was released');
		s.reader.reject(error);
		s.reader = null;
		while (queueLength(s.requests) > 0)
			takeFirst(s.requests).reject(error);
	}

	// Two streams of the same chunks; copy(chunk) is what the second one gets.
	function teeStream(s, copy) {
		const closed = lockStream(s);
		const branches = [newStreamState(1), newStreamState(1)];
		const cancels = [undefined, undefined];
		const cancelled = newPromise();
		let count = 0;
		const pull = () => promiseThen(readChunk(s), ({ value, done }) => {
			for (let i = 0; i < 2; i++) {
				if (done)
					closeStream(branches[i]);
				else if (branches[i].state === READABLE)
					enqueueChunk(branches[i], i === 0 ? value : copy(value));
			}
		});
		for (let i = 0; i < 2; i++) {
			branches[i].started = true;
			branches[i].pull = pull;
			branches[i].cancel = (reason) => {
				cancels[i] = reason;
				if (++count === 2)
					cancelled.resolve(cancelStream(s, cancels));
				return cancelled.promise;
			};
		}
		promiseThen(closed.promise, undefined, (error) => {
			errorStream(branches[0], error);
			errorStream(branches[1], error);
		});
		return branches;
	}

	const toMethod = (object, name, what) => {
		const method = object[name];
		if (method === undefined || method === null)
			return undefined;
		if (typeof method !== 'function')
			throw new TypeError(what + ' has a ' + name + ' that is not a function');
		return method;
	};

	function startStream(s, start) {
		promiseThen(promiseOf(start), () => {
			s.started = true;
			maybePull(s);
		}, (error) => errorStream(s, error));
	}

	let streamOf, streamState, isStream, newReader, newController;

	class ReadableStream {
		#s;

		constructor(source = undefined, strategy = undefined) {
			if (source === construct) {
				this.#s = strategy;
				return;
			}
			source = toDictionary(source, 'The first argument of ReadableStream');
			strategy = toDictionary(strategy, 'The second argument of ReadableStream');
			if (source.type !== undefined)
				throw new TypeError('Only streams without a type are supported');
			const highWaterMark = strategy.highWaterMark === undefined ? 1 : +strategy.highWaterMark;
			if (!(highWaterMark >= 0))
				throw new RangeError('The highWaterMark is not a number from 0');
			const s = this.#s = newStreamState(highWaterMark);
			s.measure = toMethod(strategy, 'size', 'The strategy');
			const controller = newController(s);
			const what = 'The source';
			const pull = toMethod(source, 'pull', what);
			const cancel = toMethod(source, 'cancel', what);
			const start = toMethod(source, 'start', what);
			s.pull = pull && (() => apply(pull, source, [controller]));
			s.cancel = cancel && ((reason) => apply(cancel, source, [reason]));
			startStream(s, start && apply(start, source, [controller]));
		}

		static from(iterable) {
			needArguments('ReadableStream.from', 1, arguments.length);
			const method = iterable?.[Symbol.asyncIterator] ?? iterable?.[Symbol.iterator];
			if (typeof method !== 'function')
				throw new TypeError('The argument of ReadableStream.from is not iterable');
			const iterator = apply(method, iterable, []);
			const s = newStreamState(0);
			s.pull = () => promiseThen(promiseOf(iterator.next()), (result) => {
				if (!isObject(result))
					throw new TypeError('The iterator did not give an object');
				if (result.done)
					closeStream(s);
				else
					return promiseThen(promiseOf(result.value), (value) => enqueueChunk(s, value));
			});
			s.cancel = (reason) => {
				const end = toMethod(iterator, 'return', 'The iterator');
				return end && apply(end, iterator, [reason]);
			};
			s.started = true;
			return streamOf(s);
		}

		get locked() { return this.#s.reader !== null; }

		cancel(reason = undefined) {
			return promiseOfCall(() => {
				if (this.#s.reader)
					throw new TypeError('The stream is locked by a reader');
				return cancelStream(this.#s, reason);
			});
		}

		getReader(options = undefined) {
			const s = this.#s;
			const { mode } = toDictionary(options, 'The argument of getReader');
			if (mode !== undefined)
				throw new TypeError('Only readers without a mode are supported');
			return newReader(s);
		}

		tee() {
			const branches = teeStream(this.#s, (chunk) => chunk);
			return [streamOf(branches[0]), streamOf(branches[1])];
		}

		values(options = undefined) {
			const s = this.#s;
			const preventCancel = !!toDictionary(options, 'The argument of values').preventCancel;
			lockStream(s);
			return newStreamIterator(s, preventCancel);
		}

		static {
			streamOf = (s) => new ReadableStream(construct, s);
			isStream = (value) => isObject(value) && #s in value;
			streamState = (stream) => stream.#s;
		}
	}
	defineProperty(ReadableStream.prototype, Symbol.asyncIterator,
		{ __proto__: null, value: ReadableStream.prototype.values, writable: true, configurable: true });
	finishInterface(ReadableStream, 'ReadableStream');

	class ReadableStreamDefaultReader {
		#s;
		#closed;

		constructor(stream) {
			needArguments('ReadableStreamDefaultReader', 1, arguments.length);
			if (stream !== construct && !isStream(stream))
				throw new TypeError('The argument of ReadableStreamDefaultReader is not a ReadableStream');
			const s = stream === construct ? arguments[1] : streamState(stream);
			this.#closed = lockStream(s).promise;
			this.#s = s;
		}

		get closed() { return this.#closed; }

		read() {
			return promiseOfCall(() => readChunk(this.#locked()));
		}

		cancel(reason = undefined) {
			return promiseOfCall(() => cancelStream(this.#locked(), reason));
		}

		releaseLock() {
			const s = this.#s;
			if (!s)
				return;
			const over = s.state !== READABLE;
			unlockStream(s);
			if (over)
				this.#closed = markHandled(rejection(new TypeError('The reader was released')));
			this.#s = null;
		}

		#locked() {
			if (!this.#s)
				throw new TypeError('The reader was released');
			return this.#s;
		}

		static { newReader = (s) => new ReadableStreamDefaultReader(construct, s); }
	}
	finishInterface(ReadableStreamDefaultReader, 'ReadableStreamDefaultReader');

	class ReadableStreamDefaultController {
		#s;

		constructor() {
			if (arguments[0] !== construct)
				throw new TypeError('Illegal constructor');
			this.#s = arguments[1];
		}

		get desiredSize() { return desiredSize(this.#s); }

		enqueue(chunk = undefined) {
			this.#needOpen();
			enqueueChunk(this.#s, chunk);
		}

		close() {
			this.#needOpen();
			closeStream(this.#s);
		}

		error(error = undefined) { errorStream(this.#s, error); }

		#needOpen() {
			if (this.#s.closing || this.#s.state !== READABLE)
				throw new TypeError('The stream was closed already');
		}

		static { newController = (s) => new ReadableStreamDefaultController(construct, s); }
	}
	finishInterface(ReadableStreamDefaultController, 'ReadableStreamDefaultController');

	let newStreamIterator;
	class StreamIterator {
		#s;
		#preventCancel;
		#last = promiseOf(undefined); // calls of next and return come one after the other
		#over = false;

		next() { return this.#queue(() => this.#read()); }
		return(value = undefined) { return this.#queue(() => this.#end(value)); }

		#queue(action) { return this.#last = promiseThen(this.#last, action, action); }

		#read() {
			if (this.#over)
				return { value: undefined, done: true };
			const end = () => {
				this.#over = true;
				unlockStream(this.#s);
			};
			return promiseThen(readChunk(this.#s), (result) => {
				if (result.done)
					end();
				return result;
			}, (error) => {
				end();
				throw error;
			});
		}

		#end(value) {
			if (this.#over)
				return { value, done: true };
			this.#over = true;
			const cancelled = this.#preventCancel ? promiseOf(undefined) : cancelStream(this.#s, value);
			unlockStream(this.#s);
			return promiseThen(cancelled, () => ({ value, done: true }));
		}

		static {
			newStreamIterator = (s, preventCancel) => {
				const iterator = new StreamIterator();
				iterator.#s = s;
				iterator.#preventCancel = preventCancel;
				return iterator;
			};
		}
	}
	setPrototypeOf(StreamIterator.prototype, getPrototypeOf(getPrototypeOf(async function* () {}).prototype));
	finishInterface(StreamIterator, 'ReadableStream AsyncIterator');
	delete StreamIterator.prototype.constructor;
