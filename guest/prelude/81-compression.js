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

// Passes on the output for the bytes, piece by piece.
function runPacker(packer, format, bytes, flush, enqueue) {
	for (;;) {
		const piece = stepPacker(packer, bytes, flush);
		if (piece === undefined) return;
		if (typeof piece === 'string') throw new TypeError('The data is not valid ' + format + ': ' + piece);
		if (piece === null) throw new TypeError('The ' + format + ' data ends too early');
		if (piece === true && flush !== Z_FINISH)
			throw new TypeError('There is more behind the end of the ' + format + ' data');
		if (piece === true) return;
		enqueue(piece);
	}
}

function newPackingTransform(format, inflates) {
	const packer = openPacker(inflates, packedFormats[format], PACKER_LEVEL, PACKER_MEMORY, 0, undefined);
	return newPlatformTransform(
		(chunk, enqueue) => {
			const bytes = bytesOf(chunk);
			if (!bytes) throw new TypeError('The chunk is neither an ArrayBuffer nor a view of one');
			runPacker(packer, format, bytes, Z_NO_FLUSH, enqueue);
		},
		enqueue => runPacker(packer, format, new Uint8Array(0), Z_FINISH, enqueue),
	);
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
