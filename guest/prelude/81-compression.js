// SPDX-License-Identifier: Apache-2.0
// CompressionStream and DecompressionStream of the Compression Standard, and the decoding of bodies of HTTP. zlib and
// Brotli's library do the work, one piece at a time.

const Z_NO_FLUSH = 0,
	Z_FINISH = 4;
const PACKER_MEMORY = 8,
	PACKER_LEVEL = -1; // zlib's own choice

// zlib's windowBits for each format.
const packedFormats = { __proto__: null, deflate: 15, 'deflate-raw': -15, gzip: 31 };

function toPackedFormat(value, what) {
	const format = toText(value);
	if (packedFormats[format] === undefined)
		throw new TypeError(
			what + ' does not know the format "' + slice(format, 0, 64) + '"; it is gzip, deflate or deflate-raw',
		);
	return format;
}

// How much output of one chunk is enqueued before its reader has taken some. Without this bound a small chunk of a
// decompression bomb would need all memory at once, even if the reader takes one piece after the other.
const PACKER_AHEAD_BYTES = 262144;

// Passes on output for the bytes, piece by piece. true: all of it. false: there may be more, and the reader is behind.
function runPacker(packer, format, bytes, flush, t) {
	for (let given = 0; ; ) {
		const piece = stepPacker(packer, bytes, flush);
		if (piece === undefined) return true;
		if (typeof piece === 'string') throw new TypeError('The data is not valid ' + format + ': ' + piece);
		if (piece === null) throw new TypeError('The ' + format + ' data ends too early');
		if (piece === true && flush !== Z_FINISH)
			throw new TypeError('There is more behind the end of the ' + format + ' data');
		if (piece === true) return true;
		transformEnqueue(t, piece);
		given += typedArrayBytes(piece);
		if (flush !== Z_FINISH && given >= PACKER_AHEAD_BYTES && t.backpressure) return false;
	}
}

// The rest of a chunk whose output the reader has not taken yet.
function runPackerSlowly(packer, format, bytes, t) {
	const result = newPromise();
	const resume = () => {
		try {
			if (t.w.state === ERRORING) {
				t.interrupted = true;
				result.reject(t.w.error);
			} else if (runPacker(packer, format, bytes, Z_NO_FLUSH, t)) {
				result.resolve(undefined);
			} else {
				upon(t.changed.promise, resume);
			}
		} catch (error) {
			result.reject(error);
		}
	};
	upon(t.changed.promise, resume);
	return result.promise;
}

function newPackingTransform(format, inflates) {
	const packer = openPacker(inflates, packedFormats[format], PACKER_LEVEL, PACKER_MEMORY, 0, undefined);
	const t = newPlatformTransform(
		chunk => {
			const bytes = bytesOf(chunk);
			if (!bytes) throw new TypeError('The chunk is neither an ArrayBuffer nor a view of one');
			if (!runPacker(packer, format, bytes, Z_NO_FLUSH, t)) return runPackerSlowly(packer, format, bytes, t);
		},
		() => runPacker(packer, format, new Uint8Array(0), Z_FINISH, t),
	);
	return t;
}

let isCompression, isDecompression;
const isPacking = value => isCompression(value) || isDecompression(value);

class CompressionStream {
	#t;

	constructor(format) {
		needArguments('CompressionStream', 1, arguments.length);
		this.#t = newPackingTransform(toPackedFormat(format, 'CompressionStream'), false);
	}

	get readable() {
		return streamOf(this.#t.s);
	}
	get writable() {
		return writableOf(this.#t.w);
	}

	static {
		isCompression = value => isObject(value) && #t in value;
	}
}
finishInterface(CompressionStream, 'CompressionStream');

class DecompressionStream {
	#t;

	constructor(format) {
		needArguments('DecompressionStream', 1, arguments.length);
		this.#t = newPackingTransform(toPackedFormat(format, 'DecompressionStream'), true);
	}

	get readable() {
		return streamOf(this.#t.s);
	}
	get writable() {
		return writableOf(this.#t.w);
	}

	static {
		isDecompression = value => isObject(value) && #t in value;
	}
}
finishInterface(DecompressionStream, 'DecompressionStream');

// ---- Content-Encoding (RFC 9110, section 8.4.1) ----

const CODINGS_MAX = 5;
const httpCodings = { __proto__: null, br: 1, deflate: 1, gzip: 1, 'x-gzip': 1 };

// The steps that decode a body, the coding that was applied last first. undefined: it stays as it is, because nothing is
// encoded or a coding is unknown.
function openDecoder(codings) {
	const steps = [],
		names = splitList(lowerCase(codings));
	for (let i = names.length - 1; i >= 0; i--) {
		if (names[i] === '' || names[i] === 'identity') continue;
		if (!httpCodings[names[i]]) return undefined;
		push(steps, { __proto__: null, coding: names[i], packer: undefined, input: undefined, last: false, over: false });
	}
	return steps.length > 0 ? steps : undefined;
}

function openCoding(coding, first) {
	if (coding === 'br') return openBrotli(true, []);
	// "deflate" means a zlib header, whose method is 8. Some servers omit it, and clients accept that.
	const format = coding !== 'deflate' ? 'gzip' : (first & 15) === 8 ? 'deflate' : 'deflate-raw';
	return openPacker(true, packedFormats[format], 1, PACKER_MEMORY, 0, undefined);
}

const BROTLI_FINISH = 2;
const finishOf = coding => (coding === 'br' ? BROTLI_FINISH : Z_FINISH);

// Decodes these bytes next. undefined: no more of them follow.
function giveEncoded(steps, bytes) {
	const step = steps[0];
	if (bytes === undefined) step.last = true;
	else if (typedArrayBytes(bytes) > 0) step.input = bytes;
}

// The next decoded piece of the step. undefined: it needs more bytes. null: it was the last one.
function takeDecoded(steps, at) {
	const step = steps[at];
	while (!step.over) {
		if (!step.input && !step.last && at > 0) {
			const input = takeDecoded(steps, at - 1);
			if (input === undefined) return undefined;
			if (input === null) step.last = true;
			else step.input = input;
		}
		if (!step.input && !step.last) return undefined;
		const input = step.input ?? new Uint8Array(0);
		if (!step.packer && step.input) step.packer = openCoding(step.coding, input[0]);
		const piece = step.packer ? stepPacker(step.packer, input, step.input ? Z_NO_FLUSH : finishOf(step.coding)) : true;
		if (piece === undefined) step.input = undefined;
		else if (piece === true) step.over = true;
		else if (piece === null) throw new TypeError('the compressed body ends too early');
		else if (typeof piece === 'string' || isArray(piece)) throw new TypeError('the compressed body is damaged');
		else return piece;
	}
	return null;
}
