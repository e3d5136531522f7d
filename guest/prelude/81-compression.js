// SPDX-License-Identifier: Apache-2.0
// CompressionStream and DecompressionStream of the Compression Standard. zlib does the work, one piece at a time.

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
