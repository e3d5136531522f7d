// SPDX-License-Identifier: Apache-2.0
// TransformStream of the Streams Standard, and the transforms of text.

// ---- The stream ----

const newTransform = start => ({
	__proto__: null,
	s: null,
	w: null,
	backpressure: undefined,
	changed: null,
	transform: undefined,
	flush: undefined,
	cancel: undefined,
	finishing: null,
	interrupted: false, // the writable side was aborted while a chunk waited for the reader
	start,
});

function setBackpressure(t, backpressure) {
	if (t.changed) t.changed.resolve(undefined);
	t.changed = newPromise();
	t.backpressure = backpressure;
}

function unblockWrite(t) {
	if (t.backpressure) setBackpressure(t, false);
}

function forgetTransform(t) {
	t.transform = t.flush = t.cancel = undefined;
}

function failTransform(t, error) {
	failController(t.s.controller, error);
	failTransformSink(t, error);
}

function failTransformSink(t, error) {
	forgetTransform(t);
	failSink(t.w.controller, error);
	unblockWrite(t);
}

function transformEnqueue(t, chunk) {
	const c = t.s.controller;
	if (!canCloseOrEnqueue(c)) throw new TypeError('The readable side was closed already');
	try {
		enqueueChunk(c, chunk);
	} catch (error) {
		failTransformSink(t, error);
		throw t.s.error;
	}
	const backpressure = !shouldPull(c);
	if (backpressure !== t.backpressure) setBackpressure(t, true);
}

function terminateTransform(t) {
	closeController(t.s.controller);
	failTransformSink(t, new TypeError('The stream was terminated'));
}

function performTransform(t, chunk) {
	let result;
	try {
		result = promiseOf(t.transform(chunk));
	} catch (error) {
		result = rejection(error);
	}
	return promiseThen(result, undefined, error => {
		if (!t.interrupted) failTransform(t, error);
		throw error;
	});
}

function sinkWrite(t, chunk) {
	if (!t.backpressure) return performTransform(t, chunk);
	return after(t.changed.promise, () => {
		if (t.w.state === ERRORING) throw t.w.error;
		return performTransform(t, chunk);
	});
}

// Finishes a side. It happens once, whichever side comes first.
function finishTransform(t, action, onDone, onFailed) {
	if (t.finishing) return t.finishing.promise;
	t.finishing = newPromise();
	const result = promiseOfAlgorithm(action, undefined);
	forgetTransform(t);
	upon(
		result,
		() => onDone(t.finishing),
		error => onFailed(t.finishing, error),
	);
	return t.finishing.promise;
}

function sinkAbort(t, reason) {
	const { cancel } = t;
	return finishTransform(
		t,
		cancel && (() => cancel(reason)),
		finishing => {
			if (t.s.state === ERRORED) {
				finishing.reject(t.s.error);
			} else {
				failController(t.s.controller, reason);
				finishing.resolve(undefined);
			}
		},
		(finishing, error) => {
			failController(t.s.controller, error);
			finishing.reject(error);
		},
	);
}

function sinkClose(t) {
	return finishTransform(
		t,
		t.flush,
		finishing => {
			if (t.s.state === ERRORED) {
				finishing.reject(t.s.error);
			} else {
				closeController(t.s.controller);
				finishing.resolve(undefined);
			}
		},
		(finishing, error) => {
			failController(t.s.controller, error);
			finishing.reject(error);
		},
	);
}

function sourceCancel(t, reason) {
	const { cancel } = t;
	return finishTransform(
		t,
		cancel && (() => cancel(reason)),
		finishing => {
			if (t.w.state === W_ERRORED) {
				finishing.reject(t.w.error);
			} else {
				failSink(t.w.controller, reason);
				unblockWrite(t);
				finishing.resolve(undefined);
			}
		},
		(finishing, error) => {
			failSink(t.w.controller, error);
			unblockWrite(t);
			finishing.reject(error);
		},
	);
}

function sourcePull(t) {
	setBackpressure(t, false);
	return t.changed.promise;
}

// strategies: of the writable and of the readable side
function setUpTransform(t, writableStrategy, readableStrategy) {
	const started = newPromise();
	const start = () => started.promise;
	t.w = newSink(
		start,
		chunk => sinkWrite(t, chunk),
		() => sinkClose(t),
		reason => sinkAbort(t, reason),
		writableStrategy.mark,
		writableStrategy.size,
	);
	t.s = newStartedStream(
		() => sourcePull(t),
		reason => sourceCancel(t, reason),
		readableStrategy.mark,
		readableStrategy.size,
		start,
	);
	setBackpressure(t, true);
	return started;
}

// A transform of the platform itself, with transform(chunk, enqueue) and flush(enqueue).
function newPlatformTransform(transform, flush) {
	const t = newTransform();
	const enqueue = chunk => transformEnqueue(t, chunk);
	t.transform = chunk => transform(chunk, enqueue);
	t.flush = flush && (() => flush(enqueue));
	const started = setUpTransform(t, { __proto__: null, mark: 1 }, { __proto__: null, mark: 0 });
	started.resolve(undefined);
	return t;
}

// ---- The interfaces ----

let newTransformController, isTransform, isHeldBack;
class TransformStream {
	#t;

	constructor(transformer = undefined, writableStrategy = undefined, readableStrategy = undefined) {
		if (transformer === null) throw new TypeError('The first argument of TransformStream is not an object');
		const given =
			transformer === undefined
				? { __proto__: null }
				: toDictionary(transformer, 'The first argument of TransformStream');
		const forWritable = toStrategy(writableStrategy, 'The second argument of TransformStream');
		const forReadable = toStrategy(readableStrategy, 'The third argument of TransformStream');
		const t = (this.#t = newTransform());
		setUpFromTransformer(t, transformer, given, forWritable, forReadable);
	}

	get readable() {
		return streamOf(this.#t.s);
	}
	get writable() {
		return writableOf(this.#t.w);
	}

	static {
		isTransform = value => isObject(value) && #t in value;
		isHeldBack = value => value.#t.backpressure;
	}
}
finishInterface(TransformStream, 'TransformStream');

function setUpFromTransformer(t, transformer, given, forWritable, forReadable) {
	const what = 'The transformer';
	const cancel = toMethod(given, 'cancel', what);
	const flush = toMethod(given, 'flush', what);
	if (given.readableType !== undefined) throw new RangeError('The transformer has a readableType');
	const start = toMethod(given, 'start', what);
	const transform = toMethod(given, 'transform', what);
	if (given.writableType !== undefined) throw new RangeError('The transformer has a writableType');
	forReadable.mark = markOf(forReadable, 0);
	forWritable.mark = markOf(forWritable, 1);
	const started = setUpTransform(t, forWritable, forReadable);
	const object = newTransformController(t);
	t.transform = transform
		? chunk => apply(transform, transformer, [chunk, object])
		: chunk => transformEnqueue(t, chunk);
	t.flush = flush && (() => apply(flush, transformer, [object]));
	t.cancel = cancel && (reason => apply(cancel, transformer, [reason]));
	const result = start && apply(start, transformer, [object]);
	if (promiseState(result) < 0) started.resolve(result);
	else settleWith(started, result);
}

class TransformStreamDefaultController {
	#t;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
		this.#t = arguments[1];
	}

	get desiredSize() {
		return desiredSize(this.#t.s.controller);
	}
	enqueue(chunk = undefined) {
		transformEnqueue(this.#t, chunk);
	}
	error(reason = undefined) {
		failTransform(this.#t, reason);
	}
	terminate() {
		terminateTransform(this.#t);
	}

	static {
		newTransformController = t => new TransformStreamDefaultController(construct, t);
	}
}
finishInterface(TransformStreamDefaultController, 'TransformStreamDefaultController');

// ---- Text ----

const isHighSurrogate = c => c >= 0xd800 && c <= 0xdbff;

let isEncoderStream, isDecoderStream;
class TextEncoderStream {
	#t;
	static {
		isEncoderStream = value => #t in value;
	}
	#pending = ''; // the first half of a surrogate pair, whose other half may begin the next chunk

	constructor() {
		this.#t = newPlatformTransform(
			(chunk, enqueue) => {
				let text = this.#pending + toText(chunk);
				this.#pending = '';
				if (text.length > 0 && isHighSurrogate(codeUnit(text, text.length - 1))) {
					this.#pending = slice(text, text.length - 1);
					text = slice(text, 0, text.length - 1);
				}
				if (text.length > 0) enqueue(utf8Encode(text));
			},
			enqueue => {
				if (this.#pending !== '') enqueue(utf8Encode(this.#pending));
			},
		);
	}

	get encoding() {
		return this.#t && 'utf-8';
	}
	get readable() {
		return streamOf(this.#t.s);
	}
	get writable() {
		return writableOf(this.#t.w);
	}
}
finishInterface(TextEncoderStream, 'TextEncoderStream');

class TextDecoderStream {
	#t;
	#decoder;
	static {
		isDecoderStream = value => #t in value;
	}

	constructor(label = 'utf-8', options = undefined) {
		const decoder = (this.#decoder = new TextDecoder(label, options));
		this.#t = newPlatformTransform(
			(chunk, enqueue) => {
				if (classOf(chunk) !== 'ArrayBuffer' && !bytesOf(chunk))
					throw new TypeError('The chunk is neither an ArrayBuffer nor a view of one');
				const text = decodeWith(decoder, chunk, true);
				if (text !== '') enqueue(text);
			},
			enqueue => {
				const text = decodeWith(decoder, undefined, false);
				if (text !== '') enqueue(text);
			},
		);
	}

	get encoding() {
		return this.#decoder.encoding;
	}
	get fatal() {
		return this.#decoder.fatal;
	}
	get ignoreBOM() {
		return this.#decoder.ignoreBOM;
	}
	get readable() {
		return streamOf(this.#t.s);
	}
	get writable() {
		return writableOf(this.#t.w);
	}
}
finishInterface(TextDecoderStream, 'TextDecoderStream');
