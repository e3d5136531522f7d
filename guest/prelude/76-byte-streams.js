// SPDX-License-Identifier: Apache-2.0
// Byte streams: a queue of buffers, and the buffers that readers gave to be filled ("pull-intos"). Each buffer is
// transferred to its next owner, so that nobody can see it change.

const READ_BY_DEFAULT = 0,
	READ_BYOB = 1,
	READ_BY_NONE = 2;
const elementSizes = { __proto__: null };
for (const name of objectKeys(typedArrayConstructors))
	elementSizes[name] = typedArrayConstructors[name].BYTES_PER_ELEMENT;

const newByteController = (s, autoAllocate, mark) => ({
	__proto__: null,
	isByte: true,
	s,
	object: null,
	queue: newQueue(),
	total: 0,
	started: false,
	closing: false,
	pulling: false,
	pullAgain: false,
	mark,
	autoAllocate,
	pull: undefined,
	cancel: undefined,
	pullIntos: newQueue(),
	request: null,
	cancelSteps(reason) {
		forgetPullIntos(this);
		resetQueue(this);
		const result = promiseOfAlgorithm(this.cancel, reason);
		forgetAlgorithms(this);
		return result;
	},
	pullSteps(request) {
		if (this.total > 0) return fillRead(this, request);
		if (this.autoAllocate !== undefined) {
			let buffer;
			try {
				buffer = new ArrayBuffer(this.autoAllocate);
			} catch (error) {
				return request.error(error);
			}
			push(this.pullIntos.items, newPullInto(buffer, 0, this.autoAllocate, 1, Uint8Array, 1, READ_BY_DEFAULT));
		}
		push(this.s.reader.requests.items, request);
		pullIfNeeded(this);
		return undefined;
	},
	releaseSteps() {
		if (queueLength(this.pullIntos) === 0) return;
		const first = peekFirst(this.pullIntos);
		first.readBy = READ_BY_NONE;
		this.pullIntos = newQueue();
		push(this.pullIntos.items, first);
	},
});

const newPullInto = (buffer, offset, length, minimum, Constructor, elementSize, readBy) => ({
	__proto__: null,
	buffer,
	bufferLength: bufferBytes(buffer),
	offset,
	length,
	filled: 0,
	minimum,
	Constructor,
	elementSize,
	readBy,
});

function forgetRequest(c) {
	if (!c.request) return;
	invalidateByobRequest(c.request);
	c.request = null;
}

function forgetPullIntos(c) {
	forgetRequest(c);
	c.pullIntos = newQueue();
}

function closeByteController(c) {
	if (!canCloseOrEnqueue(c)) return;
	if (c.total > 0) {
		c.closing = true;
		return;
	}
	if (queueLength(c.pullIntos) > 0) {
		const first = peekFirst(c.pullIntos);
		if (first.filled % first.elementSize !== 0) {
			const error = new TypeError('The stream was closed within an element');
			failController(c, error);
			throw error;
		}
	}
	forgetAlgorithms(c);
	closeReadable(c.s);
}

// ---- The queue ----

function queueBytes(c, buffer, offset, length) {
	push(c.queue.items, { __proto__: null, buffer, offset, length });
	c.total += length;
}

function queueCopy(c, buffer, offset, length) {
	let copy;
	try {
		copy = bufferSlice(buffer, offset, offset + length);
	} catch (error) {
		failController(c, error);
		throw error;
	}
	queueBytes(c, copy, 0, length);
}
const bufferSlice = uncurry(ArrayBuffer.prototype.slice);

// The part that a released reader's buffer had received goes back into the queue.
function queueDetached(c, into) {
	if (into.filled > 0) queueCopy(c, into.buffer, into.offset, into.filled);
	takePullInto(c);
}

const takePullInto = c => takeFirst(c.pullIntos);

function afterTake(c) {
	if (c.total === 0 && c.closing) {
		forgetAlgorithms(c);
		closeReadable(c.s);
	} else {
		pullIfNeeded(c);
	}
}

function fillRead(c, request) {
	const { buffer, offset, length } = takeFirst(c.queue);
	c.total -= length;
	afterTake(c);
	request.chunk(new Uint8Array(buffer, offset, length));
}

function enqueueBytes(c, view) {
	if (!canCloseOrEnqueue(c)) return;
	const bytes = bytesOf(view);
	const offset = typedArrayOffset(bytes),
		length = typedArrayBytes(bytes),
		given = typedArrayBuffer(bytes);
	if (bufferDetached(given)) throw new TypeError('The buffer of the chunk is detached');
	const buffer = bufferTransfer(given);
	if (queueLength(c.pullIntos) > 0) {
		const first = peekFirst(c.pullIntos);
		if (bufferDetached(first.buffer)) throw new TypeError('The buffer of the request is detached');
		forgetRequest(c);
		first.buffer = bufferTransfer(first.buffer);
		if (first.readBy === READ_BY_NONE) queueDetached(c, first);
	}
	if (hasReader(c.s, false)) giveToReader(c, buffer, offset, length);
	else queueBytes(c, buffer, offset, length);
	if (hasReader(c.s, true)) commitAll(c, takeFilled(c));
	pullIfNeeded(c);
}

function giveToReader(c, buffer, offset, length) {
	while (requestCount(c.s) > 0 && c.total > 0) fillRead(c, takeFirst(c.s.reader.requests));
	if (requestCount(c.s) === 0) return queueBytes(c, buffer, offset, length);
	if (queueLength(c.pullIntos) > 0) takePullInto(c);
	takeFirst(c.s.reader.requests).chunk(new Uint8Array(buffer, offset, length));
	return undefined;
}

// ---- Pull-intos ----

// Copies from the queue. true: the request is satisfied.
function fillFromQueue(c, into) {
	const most = min(c.total, into.length - into.filled);
	const aligned = into.filled + most - ((into.filled + most) % into.elementSize);
	const ready = aligned >= into.minimum;
	let left = ready ? aligned - into.filled : most;
	while (left > 0) {
		const head = peekFirst(c.queue);
		const count = min(left, head.length);
		typedArraySet(
			new Uint8Array(into.buffer),
			new Uint8Array(head.buffer, head.offset, count),
			into.offset + into.filled,
		);
		if (head.length === count) {
			takeFirst(c.queue);
		} else {
			head.offset += count;
			head.length -= count;
		}
		c.total -= count;
		into.filled += count;
		left -= count;
	}
	return ready;
}

function takeFilled(c) {
	const filled = [];
	while (queueLength(c.pullIntos) > 0 && c.total > 0) {
		const into = peekFirst(c.pullIntos);
		if (!fillFromQueue(c, into)) break;
		takePullInto(c);
		push(filled, into);
	}
	return filled;
}

const viewOf = into => new into.Constructor(bufferTransfer(into.buffer), into.offset, into.filled / into.elementSize);

function commit(c, into) {
	const view = viewOf(into),
		request = takeFirst(c.s.reader.requests);
	if (c.s.state === CLOSED) request.close(view);
	else request.chunk(view);
}

function commitAll(c, list) {
	for (let i = 0; i < list.length; i++) commit(c, list[i]);
}

function pullInto(c, view, minimum, request) {
	const { s } = c,
		kind = classOf(view);
	const isData = kind === 'DataView';
	const elementSize = isData ? 1 : elementSizes[kind],
		Constructor = isData ? DataView : typedArrayConstructors[kind];
	const given = isData ? dataViewBuffer(view) : typedArrayBuffer(view);
	const offset = isData ? dataViewOffset(view) : typedArrayOffset(view);
	const length = isData ? dataViewBytes(view) : typedArrayBytes(view);
	let buffer;
	try {
		buffer = bufferTransfer(given);
	} catch (error) {
		return request.error(error);
	}
	const into = newPullInto(buffer, offset, length, minimum * elementSize, Constructor, elementSize, READ_BYOB);
	if (queueLength(c.pullIntos) === 0) {
		if (s.state === CLOSED) return request.close(new Constructor(buffer, offset, 0));
		if (c.total > 0) {
			if (fillFromQueue(c, into)) {
				const filled = viewOf(into);
				afterTake(c);
				return request.chunk(filled);
			}
			if (c.closing) {
				const error = new TypeError('The stream was closed within an element');
				failController(c, error);
				return request.error(error);
			}
		}
	}
	push(c.pullIntos.items, into);
	push(s.reader.requests.items, request);
	pullIfNeeded(c);
	return undefined;
}

// ---- A source's response to a request ----

function respond(c, count) {
	const first = peekFirst(c.pullIntos);
	if (c.s.state === CLOSED) {
		if (count !== 0) throw new TypeError('Only 0 bytes can be given to a stream that is closed');
	} else {
		if (count === 0) throw new TypeError('No bytes were given');
		if (first.filled + count > first.length) throw new RangeError('More bytes were given than were asked for');
	}
	first.buffer = bufferTransfer(first.buffer);
	takeResponse(c, count, first);
}

function respondWithView(c, view) {
	const bytes = bytesOf(view),
		first = peekFirst(c.pullIntos);
	const length = typedArrayBytes(bytes),
		buffer = typedArrayBuffer(bytes);
	if (c.s.state === CLOSED) {
		if (length !== 0) throw new TypeError('Only 0 bytes can be given to a stream that is closed');
	} else if (length === 0) {
		throw new TypeError('No bytes were given');
	}
	if (first.offset + first.filled !== typedArrayOffset(bytes))
		throw new RangeError('The view begins elsewhere than what was asked for');
	if (first.bufferLength !== bufferBytes(buffer))
		throw new RangeError('The buffer of the view has another length than the one given');
	if (first.filled + length > first.length) throw new RangeError('More bytes were given than were asked for');
	first.buffer = bufferTransfer(buffer);
	takeResponse(c, length, first);
}

function takeResponse(c, count, first) {
	forgetRequest(c);
	if (c.s.state === CLOSED) respondClosed(c, first);
	else respondReadable(c, count, first);
	pullIfNeeded(c);
}

function respondClosed(c, first) {
	if (first.readBy === READ_BY_NONE) takePullInto(c);
	if (!hasReader(c.s, true)) return;
	const filled = [];
	while (filled.length < requestCount(c.s)) push(filled, takePullInto(c));
	commitAll(c, filled);
}

function respondReadable(c, count, into) {
	into.filled += count;
	if (into.readBy === READ_BY_NONE) {
		queueDetached(c, into);
		commitAll(c, takeFilled(c));
		return;
	}
	if (into.filled < into.minimum) return;
	takePullInto(c);
	const rest = into.filled % into.elementSize;
	if (rest > 0) {
		queueCopy(c, into.buffer, into.offset + into.filled - rest, rest);
		into.filled -= rest;
	}
	const filled = takeFilled(c);
	commit(c, into);
	commitAll(c, filled);
}

// ---- The interfaces ----

function toView(value, what) {
	const kind = classOf(value);
	if (kind === undefined || (kind !== 'DataView' && typedArrayTag(value) === undefined))
		throw new TypeError(what + ' is not a view of an ArrayBuffer');
	return value;
}
const viewBuffer = view => (classOf(view) === 'DataView' ? dataViewBuffer(view) : typedArrayBuffer(view));
const viewLength = view => typedArrayBytes(bytesOf(view));

let newByobRequest, invalidateByobRequest;
class ReadableStreamBYOBRequest {
	#c;
	#view;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
		this.#c = arguments[1];
		this.#view = arguments[2];
	}

	get view() {
		return this.#view;
	}

	respond(bytesWritten) {
		this.#c;
		needArguments('respond', 1, arguments.length);
		const count = toEnforcedInteger(bytesWritten, 'The number of bytes');
		if (!this.#c) throw new TypeError('The request was answered already');
		if (bufferDetached(typedArrayBuffer(this.#view))) throw new TypeError('The buffer of the request is detached');
		respond(this.#c, count);
	}

	respondWithNewView(view) {
		this.#c;
		needArguments('respondWithNewView', 1, arguments.length);
		toView(view, 'The argument of respondWithNewView');
		if (!this.#c) throw new TypeError('The request was answered already');
		if (bufferDetached(viewBuffer(view))) throw new TypeError('The buffer of the view is detached');
		respondWithView(this.#c, view);
	}

	static {
		newByobRequest = (c, view) => new ReadableStreamBYOBRequest(construct, c, view);
		invalidateByobRequest = request => {
			request.#c = undefined;
			request.#view = null;
		};
	}
}
finishInterface(ReadableStreamBYOBRequest, 'ReadableStreamBYOBRequest');

let newByteControllerObject;
class ReadableByteStreamController {
	#c;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
		this.#c = arguments[1];
	}

	get byobRequest() {
		return byobRequestOf(this.#c);
	}
	get desiredSize() {
		return desiredSize(this.#c);
	}

	close() {
		if (this.#c.closing) throw new TypeError('The stream was closed already');
		if (this.#c.s.state !== READABLE) throw new TypeError('The stream is not readable any more');
		closeByteController(this.#c);
	}

	enqueue(chunk) {
		this.#c;
		needArguments('enqueue', 1, arguments.length);
		toView(chunk, 'The argument of enqueue');
		if (viewLength(chunk) === 0 || bufferBytes(viewBuffer(chunk)) === 0) throw new TypeError('The chunk is empty');
		if (this.#c.closing) throw new TypeError('The stream was closed already');
		if (this.#c.s.state !== READABLE) throw new TypeError('The stream is not readable any more');
		enqueueBytes(this.#c, chunk);
	}

	error(error = undefined) {
		failController(this.#c, error);
	}

	static {
		newByteControllerObject = c => new ReadableByteStreamController(construct, c);
	}
}
finishInterface(ReadableByteStreamController, 'ReadableByteStreamController');

function byobRequestOf(c) {
	if (c.request === null && queueLength(c.pullIntos) > 0) {
		const first = peekFirst(c.pullIntos);
		c.request = newByobRequest(
			c,
			new Uint8Array(first.buffer, first.offset + first.filled, first.length - first.filled),
		);
	}
	return c.request;
}

// request.close may receive the view. If the read was not into a view, it receives none.
function readInto(reader, view, minimum, request) {
	const { s } = reader;
	s.disturbed = true;
	if (s.state === ERRORED) request.error(s.error);
	else pullInto(s.controller, view, minimum, request);
}

let byobReaderOf;
class ReadableStreamBYOBReader {
	#reader;

	constructor(stream) {
		needArguments('ReadableStreamBYOBReader', 1, arguments.length);
		if (stream !== construct && !isStream(stream))
			throw new TypeError('The argument of ReadableStreamBYOBReader is not a ReadableStream');
		this.#reader = acquireReader(stream === construct ? arguments[1] : streamState(stream), true);
	}

	read(view, options = undefined) {
		const count = arguments.length;
		return promiseOfMethod(() => {
			const reader = this.#reader;
			needArguments('read', 1, count);
			toView(view, 'The argument of read');
			const given = toDictionary(options, 'The second argument of read').min;
			const minimum = given === undefined ? 1 : toEnforcedInteger(given, 'The min');
			checkReadInto(view, minimum);
			if (!reader.s) throw released();
			const result = newPromise();
			readInto(reader, view, minimum, {
				__proto__: null,
				chunk: value => result.resolve({ value, done: false }),
				close: value => result.resolve({ value, done: true }),
				error: result.reject,
			});
			return result.promise;
		});
	}

	static {
		addReaderMembers(ReadableStreamBYOBReader, value => value.#reader);
		byobReaderOf = value => (#reader in value ? value.#reader : undefined);
		newByobReader = s => new ReadableStreamBYOBReader(construct, s);
	}
}
finishInterface(ReadableStreamBYOBReader, 'ReadableStreamBYOBReader');

function checkReadInto(view, minimum) {
	if (viewLength(view) === 0) throw new TypeError('The view is empty');
	if (bufferBytes(viewBuffer(view)) === 0) throw new TypeError('The buffer of the view is empty or detached');
	if (minimum === 0) throw new TypeError('The min is 0');
	if (minimum > (classOf(view) === 'DataView' ? dataViewBytes(view) : typedArrayLength(view)))
		throw new RangeError('The min is more than the view has room for');
}

// ---- Tee ----

const copyOfView = view => {
	const bytes = bytesOf(view),
		offset = typedArrayOffset(bytes);
	return new Uint8Array(bufferSlice(typedArrayBuffer(bytes), offset, offset + typedArrayBytes(bytes)));
};

function teeBytes(s) {
	let reader = acquireReader(s),
		reading = false;
	const again = [false, false],
		branches = [],
		cancelled = newPromise();
	const { done, cancel } = teeCancels(s, cancelled);

	const watch = watched =>
		upon(watched.closed.promise, undefined, error => {
			if (watched !== reader) return;
			failController(branches[0].controller, error);
			failController(branches[1].controller, error);
			if (!done[0] || !done[1]) cancelled.resolve(undefined);
		});
	const change = isByob => {
		if (reader.isByob === isByob) return;
		releaseReader(reader);
		reader = acquireReader(s, isByob);
		watch(reader);
	};
	const afterChunk = () => {
		reading = false;
		if (again[0]) pull(0)();
		else if (again[1]) pull(1)();
	};
	const failBoth = error => {
		failController(branches[0].controller, error);
		failController(branches[1].controller, error);
		settleWith(cancelled, cancelReadable(s, error));
	};
	const closeBoth = () => {
		reading = false;
		for (let i = 0; i < 2; i++) {
			if (!done[i]) closeByteController(branches[i].controller);
		}
	};

	const pullWithDefault = () => {
		change(false);
		readFrom(reader, {
			__proto__: null,
			chunk: chunk =>
				enqueueMicrotask(() => {
					again[0] = again[1] = false;
					let second = chunk;
					if (!done[0] && !done[1]) {
						try {
							second = copyOfView(chunk);
						} catch (error) {
							failBoth(error);
							return;
						}
					}
					if (!done[0]) enqueueBytes(branches[0].controller, chunk);
					if (!done[1]) enqueueBytes(branches[1].controller, second);
					afterChunk();
				}),
			close: () => {
				closeBoth();
				for (let i = 0; i < 2; i++) {
					if (queueLength(branches[i].controller.pullIntos) > 0) respond(branches[i].controller, 0);
				}
				if (!done[0] || !done[1]) cancelled.resolve(undefined);
			},
			error: () => {
				reading = false;
			},
		});
	};

	const pullWithByob = (view, which) => {
		change(true);
		const c = branches[which].controller,
			other = branches[1 - which].controller;
		readInto(reader, view, 1, {
			__proto__: null,
			chunk: chunk =>
				enqueueMicrotask(() => {
					again[0] = again[1] = false;
					if (!done[1 - which]) {
						let copy;
						try {
							copy = copyOfView(chunk);
						} catch (error) {
							failBoth(error);
							return;
						}
						if (!done[which]) respondWithView(c, chunk);
						enqueueBytes(other, copy);
					} else if (!done[which]) {
						respondWithView(c, chunk);
					}
					afterChunk();
				}),
			close: chunk => {
				const otherDone = done[1 - which],
					thisDone = done[which];
				closeBoth();
				if (chunk !== undefined) {
					if (!thisDone) respondWithView(c, chunk);
					if (!otherDone && queueLength(other.pullIntos) > 0) respond(other, 0);
				}
				if (!thisDone || !otherDone) cancelled.resolve(undefined);
			},
			error: () => {
				reading = false;
			},
		});
	};

	const pull = which => () => {
		if (reading) {
			again[which] = true;
			return;
		}
		reading = true;
		const request = byobRequestOf(branches[which].controller);
		if (request === null) pullWithDefault();
		else pullWithByob(request.view, which);
	};
	for (let i = 0; i < 2; i++) {
		const c = newByteController(newReadable(), undefined, 0);
		c.pull = pull(i);
		c.cancel = cancel(i);
		startController(c, ignore);
		push(branches, c.s);
	}
	watch(reader);
	return branches;
}
