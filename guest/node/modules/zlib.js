// SPDX-License-Identifier: Apache-2.0
// node:zlib, on the zlib of CompressionStream and on Brotli's own library, in the guest.
const { Buffer } = require('buffer');
const { Transform } = require('stream');
const { openBrotli, openPacker, stepPacker } = binding.zlib;

const constants = { Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5, Z_OK: 0, Z_STREAM_END: 1, Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2,
	Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6, Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1, Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2,
	Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0, Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15, Z_DEFAULT_WINDOWBITS: 15, Z_MIN_CHUNK: 64, Z_DEFAULT_CHUNK: 16384, Z_MIN_MEMLEVEL: 1, Z_MAX_MEMLEVEL: 9,
	Z_DEFAULT_MEMLEVEL: 8, Z_MIN_LEVEL: -1, Z_MAX_LEVEL: 9, Z_DEFAULT_LEVEL: -1, DEFLATE: 1, INFLATE: 2, GZIP: 3, GUNZIP: 4, DEFLATERAW: 5, INFLATERAW: 6, UNZIP: 7 };
const older = { Z_BINARY: 0, Z_TEXT: 1, Z_ASCII: 1, Z_UNKNOWN: 2, Z_DEFLATED: 8, Z_TREES: 6 };
Object.assign(constants, { BROTLI_DECODE: 8, BROTLI_ENCODE: 9, BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2, BROTLI_OPERATION_EMIT_METADATA: 3, BROTLI_PARAM_MODE: 0,
	BROTLI_MODE_GENERIC: 0, BROTLI_MODE_TEXT: 1, BROTLI_MODE_FONT: 2, BROTLI_DEFAULT_MODE: 0, BROTLI_PARAM_QUALITY: 1, BROTLI_MIN_QUALITY: 0, BROTLI_MAX_QUALITY: 11, BROTLI_DEFAULT_QUALITY: 11, BROTLI_PARAM_LGWIN: 2,
	BROTLI_MIN_WINDOW_BITS: 10, BROTLI_MAX_WINDOW_BITS: 24, BROTLI_LARGE_MAX_WINDOW_BITS: 30, BROTLI_DEFAULT_WINDOW: 22, BROTLI_PARAM_LGBLOCK: 3, BROTLI_MIN_INPUT_BLOCK_BITS: 16, BROTLI_MAX_INPUT_BLOCK_BITS: 24,
	BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING: 4, BROTLI_PARAM_SIZE_HINT: 5, BROTLI_PARAM_LARGE_WINDOW: 6, BROTLI_PARAM_NPOSTFIX: 7, BROTLI_PARAM_NDIRECT: 8, BROTLI_DECODER_RESULT_ERROR: 0,
	BROTLI_DECODER_RESULT_SUCCESS: 1, BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: 2, BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: 3, BROTLI_DECODER_PARAM_DISABLE_RING_BUFFER_REALLOCATION: 0, BROTLI_DECODER_PARAM_LARGE_WINDOW: 1,
	BROTLI_DECODER_NO_ERROR: 0, BROTLI_DECODER_SUCCESS: 1, BROTLI_DECODER_NEEDS_MORE_INPUT: 2, BROTLI_DECODER_NEEDS_MORE_OUTPUT: 3 });
const { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH } = constants;
const fail = (message, code, errno) => Object.assign(new Error(message), { code, errno });

const { coded, needs, outOfRange, wrongType } = require('internal/errors');
const bytesOf = (data, name = 'buffer') => {
	if (typeof data === 'string')
		data = Buffer.from(data);
	if (ArrayBuffer.isView(data))
		return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	if (data instanceof ArrayBuffer)
		return new Uint8Array(data);
	return wrongType(name, `of type string or an instance of Buffer, TypedArray, ${name === 'buffer' ? 'DataView, or ArrayBuffer' : 'or DataView'}`, data);
};
const numberOr = (value, fallback) => value === undefined || Number.isNaN(value) ? fallback : value;
function checkRange(value, name, least, most) {
	if (value === undefined || Number.isNaN(value))
		return;
	if (typeof value !== 'number')
		wrongType('options.' + name, 'of type number', value);
	if (value < least || value > most)
		outOfRange('options.' + name, most === Infinity ? `>= ${least}` : `>= ${least} and <= ${most}`, value);
}
function checkOptions(inflates, kind, options) {
	const most = kind === 'brotli' ? 3 : 5;
	checkRange(options.chunkSize, 'chunkSize', constants.Z_MIN_CHUNK, Infinity);
	checkRange(options.flush, 'flush', 0, most);
	checkRange(options.finishFlush, 'finishFlush', 0, most);
	checkRange(options.maxOutputLength, 'maxOutputLength', 1, require('buffer').kMaxLength);
	if (kind === 'brotli') {
		for (const [key, value] of Object.entries(options.params ?? {})) {
			if (!(Number.isInteger(+key) && +key >= 0 && +key <= 9))
				throw coded(RangeError, 'ERR_BROTLI_INVALID_PARAM', `${key} is not a valid Brotli parameter`);
			if (typeof value !== 'number' && typeof value !== 'boolean')
				wrongType('options.params[key]', 'of type number', value);
		}
		return;
	}
	if (!(inflates && options.windowBits === 0))
		checkRange(options.windowBits, 'windowBits', !inflates && kind === 'gzip' ? 9 : 8, 15);
	checkRange(options.level, 'level', -1, 9);
	checkRange(options.memLevel, 'memLevel', 1, 9);
	checkRange(options.strategy, 'strategy', 0, 4);
	const { dictionary } = options;
	if (dictionary !== undefined && !ArrayBuffer.isView(dictionary) && !(dictionary instanceof ArrayBuffer))
		wrongType('options.dictionary', 'an instance of Buffer, TypedArray, DataView, or ArrayBuffer', dictionary);
}
// The first bytes of gzip data.
const isGzip = (bytes) => bytes.length > 1 && bytes[0] === 0x1f && bytes[1] === 0x8b;
const bitsOf = (kind, bits, first) => kind === 'gzip' || (kind === 'unzip' && isGzip(first)) ? bits + 16 : kind === 'raw' ? -bits : bits;

function open(inflates, kind, options = {}, first) {
	if (kind === 'brotli') {
		const brotli = openBrotli(inflates, Object.entries(options.params ?? {}).flatMap(([key, value]) => [+key, +value]));
		return brotli === undefined ? refuse('Initialization failed', 'ERR_ZLIB_INITIALIZATION_FAILED', Error) : { packer: brotli, flushed: 1 };
	}
	const bits = bitsOf(kind, options.windowBits || 15, first);
	const packer = openPacker(inflates, bits, inflates ? Number(bits > 15) : numberOr(options.level, -1), options.memLevel ?? 8, options.strategy ?? 0, options.dictionary && bytesOf(options.dictionary));
	if (packer === undefined)
		refuse('zlib takes no such options', 'ERR_OUT_OF_RANGE', RangeError);
	return { packer, flushed: Z_SYNC_FLUSH };
}
const refuse = (message, code, Kind) => { throw Object.assign(new Kind(message), { code }); };
// The operations of both libraries.
const operations = { zlib: { none: Z_NO_FLUSH, flush: Z_SYNC_FLUSH, finish: Z_FINISH }, brotli: { none: 0, flush: 1, finish: 2 } };
const operationOf = (kind, what) => operations[kind === 'brotli' ? kind : 'zlib'][what];

// Passes each piece of output to `take`. If that returns false, the rest waits: the result is true, and the next call continues.
function run({ packer, flushed }, bytes, flush, take, { finishFlush } = {}) {
	for (;;) {
		const piece = stepPacker(packer, bytes, flush);
		if (Array.isArray(piece))
			throw fail('Decompression failed', 'ERR_' + piece[0], piece[1]);
		if (piece === undefined || piece === true)
			return;
		if (piece === 'Missing dictionary')
			throw fail(piece, 'Z_NEED_DICT', 2);
		if (piece === 'Bad dictionary')
			throw fail(piece, 'Z_NEED_DICT', 2);
		if (typeof piece === 'string')
			throw fail(piece, 'Z_DATA_ERROR', -3);
		if (piece === null) {
			if (finishFlush === flushed)
				return;
			throw fail('unexpected end of file', 'Z_BUF_ERROR', -5);
		}
		if (take(piece) === false)
			return true;
	}
}

const kinds = { gzip: [false, 'gzip'], gunzip: [true, 'gzip'], deflate: [false, 'zlib'], inflate: [true, 'zlib'], deflateRaw: [false, 'raw'], inflateRaw: [true, 'raw'], unzip: [true, 'unzip'],
	brotliCompress: [false, 'brotli'], brotliDecompress: [true, 'brotli'] };
const sync = (inflates, kind) => (data, options) => {
	const bytes = bytesOf(data), pieces = [], most = options?.maxOutputLength ?? Infinity;
	checkOptions(inflates, kind, options ?? {});
	let length = 0;
	run(open(inflates, kind, options, bytes), bytes, operationOf(kind, 'finish'), (piece) => {
		length += piece.length;
		if (length > most)
			throw Object.assign(new RangeError('Cannot create a Buffer larger than ' + most + ' bytes'), { code: 'ERR_BUFFER_TOO_LARGE' });
		pieces.push(piece);
	}, options);
	const buffer = Buffer.concat(pieces, length);
	return options?.info ? { buffer, engine: new module.exports[nameOf(inflates, kind)](options) } : buffer;
};
const nameOf = (inflates, kind) => {
	const name = Object.keys(kinds).find((key) => kinds[key][0] === inflates && kinds[key][1] === kind);
	return name[0].toUpperCase() + name.slice(1);
};
const later = (action) => (data, options, done) => {
	if (typeof options === 'function')
		[options, done] = [undefined, options];
	needs.callable(done, 'callback');
	bytesOf(data, 'chunk');
	process.nextTick(() => {
		let result;
		try {
			result = action(data, options);
		} catch (error) {
			return done(error);
		}
		done(null, result);
	});
};
// These are functions instead of classes, because older packages call them for an object of their own. Such packages also use
// internals of Node's classes.
function Packing(inflates, kind, options) {
	options ??= {};
	checkOptions(inflates, kind, options);
	Transform.call(this, { autoDestroy: true, ...options });
	const chunkSize = options.chunkSize ?? constants.Z_DEFAULT_CHUNK;
	Object.assign(this, { _inflates: inflates, _kind: kind, _options: options, _packer: undefined, _resume: undefined, bytesWritten: 0, _chunkSize: chunkSize, _outOffset: 0,
		_writeState: new Uint32Array(2), _hadError: false, _finishFlushFlag: options.finishFlush ?? operationOf(kind, 'finish') });
	this._handle = new Handle(this);
	Object.defineProperty(this, '_outBuffer', { configurable: true, enumerable: true, get() { return this._outBuffer = Buffer.allocUnsafe(chunkSize); },
		set(value) { Object.defineProperty(this, '_outBuffer', { value, writable: true, configurable: true, enumerable: true }); } });
}
Object.setPrototypeOf(Packing.prototype, Transform.prototype);
Object.setPrototypeOf(Packing, Transform);
const asBuffer = (piece) => Buffer.from(piece.buffer, piece.byteOffset, piece.length);
const methodsOfPacking = {
	// Compresses or decompresses the given bytes.
	_step(bytes, flush, take) {
		this._packer ??= open(this._inflates, this._kind, this._options, bytes);
		return run(this._packer, bytes, flush, take, flush === operationOf(this._kind, 'finish') ? this._options : undefined);
	},
	// What is packed well has much output, so it is made only as fast as it is read.
	_pack(bytes, done) {
		if (this._step(bytes, operationOf(this._kind, 'none'), (piece) => this.push(asBuffer(piece))))
			this._resume = { bytes, done };
		else
			done();
	},
	_read(size) {
		const waiting = this._resume;
		this._resume = undefined;
		try {
			if (waiting)
				this._pack(waiting.bytes, waiting.done);
		} catch (error) {
			waiting.done(error);
		}
		if (!this._resume)
			Transform.prototype._read.call(this, size);
	},
	_transform(chunk, encoding, done) {
		try {
			const bytes = bytesOf(chunk);
			this.bytesWritten += bytes.length;
			this._pack(bytes, done);
		} catch (error) {
			done(error);
		}
	},
	_flush(done) {
		try {
			if (this.bytesWritten > 0 || !this._inflates)
				this._step(new Uint8Array(0), operationOf(this._kind, 'finish'), (piece) => void this.push(asBuffer(piece)));
			done();
		} catch (error) {
			done(error);
		}
	},
	_processChunk(chunk, flush, done) {
		const pieces = [];
		try {
			this._step(bytesOf(chunk), flush, (piece) => pieces.push(asBuffer(piece)));
		} catch (error) {
			if (done)
				return void queueMicrotask(() => done(error));
			this._hadError = true;
			this.destroy(error);
			throw error;
		}
		if (!done)
			return Buffer.concat(pieces);
		pieces.forEach((piece) => this.push(piece));
		return void queueMicrotask(done);
	},
	flush(kind, done) {
		if (typeof kind === 'function')
			done = kind;
		this._step(new Uint8Array(0), operationOf(this._kind, 'flush'), (piece) => void this.push(asBuffer(piece)));
		if (done)
			queueMicrotask(done);
	},
	// The next bytes are compressed with other options.
	params(level, strategy, done) {
		checkRange(level, 'level', -1, 9);
		checkRange(strategy, 'strategy', 0, 4);
		this.flush(() => {
			const same = this._options.level === level && this._options.strategy === strategy;
			done?.(same ? undefined : coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'zlib.params is not here: other options need another stream'));
		});
	},
	reset() { this._packer = undefined; },
	close(done) {
		this.destroy();
		if (done)
			queueMicrotask(done);
	},
};
for (const [name, value] of Object.entries(methodsOfPacking))
	Object.defineProperty(Packing.prototype, name, { value, writable: true, configurable: true });

// The object that Node's streams hold for the native library. It consumes all input at once, and returns as much output as the
// caller's buffer holds.
class Handle {
	#owner;
	#pieces = [];
	constructor(owner) { this.#owner = owner; }
	writeSync(flush, input, offset, length, output, outOffset, room) {
		const owner = this.#owner;
		try {
			if (length > 0 || this.#pieces.length === 0)
				owner._step(bytesOf(input).subarray(offset, offset + length), flush, (piece) => this.#pieces.push(piece));
		} catch (error) {
			owner._hadError = true;
			return void owner.emit('error', error);
		}
		while (room > 0 && this.#pieces.length > 0) {
			const piece = this.#pieces[0], part = piece.subarray(0, room);
			output.set(part, outOffset);
			outOffset += part.length;
			room -= part.length;
			this.#pieces.splice(0, 1, ...(part.length < piece.length ? [piece.subarray(part.length)] : []));
		}
		owner._writeState.set([room, 0]);
	}
	reset() {
		this.#pieces = [];
		this.#owner.reset();
	}
	params() {}
	close() { this.#pieces = []; }
}

const table = Int32Array.from({ length: 256 }, (_, n) => {
	for (let bit = 0; bit < 8; bit++)
		n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
	return n;
});
const crc32 = (data, value = 0) => {
	if (typeof data !== 'string' && !ArrayBuffer.isView(data))
		wrongType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
	needs.number(value, 'value');
	if (!(value >= 0 && value <= 2 ** 32 - 1))
		outOfRange('value', '>= 0 && <= 4294967295', value);
	let crc = ~value;
	for (const byte of bytesOf(data))
		crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
	return ~crc >>> 0;
};
const codes = {};
for (const name of ['Z_OK', 'Z_STREAM_END', 'Z_NEED_DICT', 'Z_ERRNO', 'Z_STREAM_ERROR', 'Z_DATA_ERROR', 'Z_MEM_ERROR', 'Z_BUF_ERROR', 'Z_VERSION_ERROR'])
	codes[codes[name] = constants[name]] = name;
module.exports = { constants, ...older, ...constants, codes: Object.freeze(codes), crc32 };
for (const [name, [inflates, kind]] of Object.entries(kinds)) {
	const big = name[0].toUpperCase() + name.slice(1);
	const Kind = { [big]: function (options) {
		if (!(this instanceof Kind))
			return new Kind(options);
		Packing.call(this, inflates, kind, options);
	} }[big];
	Object.setPrototypeOf(Kind.prototype, Packing.prototype);
	Object.setPrototypeOf(Kind, Packing);
	const action = sync(inflates, kind);
	Object.assign(module.exports, { [name + 'Sync']: action, [name]: later(action), ['create' + big]: (options) => new Kind(options), [big]: Kind });
}
for (const name of ['zstdCompress', 'zstdCompressSync', 'zstdDecompress', 'zstdDecompressSync', 'createZstdCompress', 'createZstdDecompress'])
	module.exports[name] = () => { throw fail('zlib.' + name + ' is not here: gzip, deflate and Brotli are', 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'); };
