// SPDX-License-Identifier: Apache-2.0
// node:crypto, on the same code as crypto.subtle: Mbed TLS, in the guest.
const { Buffer } = require('buffer');
const { hkdf, pbkdf2, aes } = binding.crypto;

const { needs, outOfRange, wrongType } = require('internal/errors');
const fail = (message, code, Kind = Error) => { throw Object.assign(new Kind(message), { code }); };
const absent = (name) => function () {
	fail('crypto.' + name + ' is not here: use crypto.subtle, or a package', 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM');
};
const moreHashes = require('internal/hashes');
const noDigest = (name) => fail('Invalid digest: ' + name, 'ERR_CRYPTO_INVALID_DIGEST', TypeError);

const hashNumber = (name, refuse = () => fail('Digest method not supported', 'ERR_CRYPTO_INVALID_DIGEST')) => moreHashes.find(name)?.number ?? refuse();

// The digest of an operation that has other arguments too.
function digestOf(name, argument = 'digest') {
	needs.text(name, argument);
	const found = moreHashes.find(name) ?? noDigest(name);
	return found.isAny ? noDigest(name) : found;
}
function bytesOf(data, encoding, name = 'data', kinds = 'Buffer, TypedArray, or DataView') {
	if (typeof data === 'string')
		return Buffer.from(data, encoding === 'buffer' ? 'utf8' : encoding);
	if (madeKeys && data instanceof madeKeys.KeyObject)
		return data.export();
	if (ArrayBuffer.isView(data))
		return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	if (data instanceof ArrayBuffer)
		return new Uint8Array(data);
	return wrongType(name, 'of type string or an instance of ' + kinds, data);
}
// The length of each of these hashes.
const hashBytes = [20, 32, 48, 64, 16, 28, 20, 28, 32, 48, 64];
const told = (bytes, encoding) => encoding && encoding !== 'buffer' ? Buffer.from(bytes).toString(encoding) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// Hashes are streams too. Their stream is created at its first use.
const streamMethods = ['on', 'once', 'off', 'addListener', 'prependListener', 'removeListener', 'removeAllListeners', 'listenerCount', 'listeners', 'pipe', 'unpipe', 'write', 'end', 'read', 'emit', 'setEncoding', 'setDefaultEncoding', 'pause', 'resume',
	'isPaused', 'destroy', 'cork', 'uncork', 'eventNames', 'setMaxListeners', 'getMaxListeners', Symbol.asyncIterator];
function streaming(Kind) {
	for (const name of streamMethods) {
		Kind.prototype[name] = function (...args) {
			this._stream ??= new (require('stream').Transform)({
				transform: (chunk, encoding, done) => steps(this, 'transform', chunk, done), flush: (done) => steps(this, 'flush', undefined, done),
			});
			const result = this._stream[name](...args);
			return result === this._stream ? this : result;
		};
	}
}

// One step of a stream: ciphers give output at once, hashes at the end.
function steps(self, kind, chunk, done) {
	let output;
	try {
		const isHash = typeof self.digest === 'function';
		output = kind === 'transform' ? self.update(chunk) : isHash ? self.digest() : self.final();
		output = isHash && kind === 'transform' ? undefined : output;
	} catch (error) {
		return done(error);
	}
	return done(null, output?.length > 0 ? output : undefined);
}

const viewOf = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

class Hash {
	#hasher;
	#kind;
	#length;
	constructor(name, options, from) {
		if (!from)
			needs.text(name, 'algorithm');
		this.#kind = moreHashes.find(name) ?? fail('Digest method not supported', 'ERR_CRYPTO_INVALID_DIGEST');
		this.#length = from?.length ?? this.#kind.length;
		const wanted = options?.outputLength;
		if (wanted !== undefined) {
			needs.integer(wanted, 'options.outputLength', 0, 2 ** 32 - 1);
			if (wanted !== this.#kind.length && !this.#kind.isAny)
				fail('error:030000B2:digital envelope routines::not XOF or invalid length', 'ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH');
			this.#length = wanted;
		}
		this.#hasher = from?.hasher ?? this.#kind.open();
		this._name = name;
	}
	#need() { return this.#hasher ?? fail('Digest already called', 'ERR_CRYPTO_HASH_FINALIZED'); }
	update(data, encoding) {
		this.#need().update(viewOf(bytesOf(data, encoding)));
		return this;
	}
	digest(encoding) {
		const result = this.#need().finish(this.#length);
		this.#hasher = undefined;
		return told(result, encoding);
	}
	copy(options) { return new Hash(this._name, options, { hasher: this.#need().copy(), length: this.#length }); }
}
streaming(Hash);

class Hmac {
	#hasher;
	constructor(name, key) {
		needs.text(name, 'hmac');
		const bytes = bytesOf(key, undefined, 'key', 'ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey');
		this.#hasher = moreHashes.openHmac(digestOf(name), viewOf(bytes));
	}
	update(data, encoding) {
		(this.#hasher ?? fail('Digest already called', 'ERR_CRYPTO_HASH_FINALIZED')).update(viewOf(bytesOf(data, encoding)));
		return this;
	}
	digest(encoding) {
		if (!this.#hasher)
			return told(new Uint8Array(0), encoding);
		const result = this.#hasher.finish();
		this.#hasher = undefined;
		return told(result, encoding);
	}
}
streaming(Hmac);

// Ciphers and keys are loaded at their first use.
let madeCiphers;
const ciphers = () => madeCiphers ??= require('internal/ciphers')({ fail, bytesOf, told, streaming });

// ---- Random ----

function randomFillSync(target, offset = 0, size = undefined) {
	if (!ArrayBuffer.isView(target) && !(target instanceof ArrayBuffer))
		wrongType('buf', 'an instance of ArrayBuffer or ArrayBufferView', target);
	const unit = target.BYTES_PER_ELEMENT ?? 1;
	needs.number(offset, 'offset');
	if (!(offset * unit >= 0 && offset * unit <= target.byteLength))
		outOfRange('offset', `>= 0 && <= ${target.byteLength}`, offset * unit);
	[offset, size] = [offset * unit, size === undefined ? target.byteLength - offset * unit : size * unit];
	if (!(size >= 0 && size <= target.byteLength - offset))
		outOfRange('size + offset', `<= ${target.byteLength}`, size + offset);
	const bytes = bytesOf(target).subarray(offset, offset + size);
	for (let at = 0; at < bytes.length; at += 65536)
		globalThis.crypto.getRandomValues(bytes.subarray(at, at + 65536));
	return target;
}
// ---- Primes ----

function power(base, exponent, modulus) {
	let result = 1n;
	for (base %= modulus; exponent > 0n; exponent >>= 1n) {
		if (exponent & 1n)
			result = result * base % modulus;
		base = base * base % modulus;
	}
	return result;
}
const smallPrimes = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n, 43n, 47n, 53n, 59n, 61n, 67n, 71n, 73n, 79n, 83n, 89n, 97n];
// Miller and Rabin's test, with the bases above and as many random ones.
function isPrime(value) {
	if (value < 2n || smallPrimes.some((prime) => value % prime === 0n))
		return smallPrimes.includes(value);
	let odd = value - 1n, shift = 0;
	for (; (odd & 1n) === 0n; odd >>= 1n)
		shift++;
	const isWitness = (base) => {
		let x = power(base, odd, value);
		for (let i = 0; x !== 1n && x !== value - 1n; i++) {
			if (i === shift - 1)
				return true;
			x = x * x % value;
			if (x === 1n)
				return true;
		}
		return false;
	};
	const random = () => 2n + BigInt('0x' + randomBytes(16).toString('hex')) % (value - 3n);
	return !smallPrimes.some((base) => base < value - 1n && isWitness(base)) && !smallPrimes.some(() => isWitness(random()));
}
const bigOf = (value) => typeof value === 'bigint' ? value : BigInt('0x' + (Buffer.from(bytesOf(value)).toString('hex') || '0'));
const bytesOfBig = (value) => {
	const hex = value.toString(16);
	return Buffer.from(hex.padStart(hex.length + hex.length % 2, '0'), 'hex');
};
const checkPrimeSync = (candidate) => isPrime(bigOf(candidate));
function generatePrimeSync(size, { add, rem, safe = false, bigint = false } = {}) {
	needs.integer(size, 'size', 1, 2 ** 31 - 1);
	const step = add === undefined ? safe ? 4n : 2n : bigOf(add), rest = rem !== undefined ? bigOf(rem) : add === undefined ? safe ? 3n : 1n : safe ? 3n : 1n;
	if (step <= 0n || step >> BigInt(size) > 0n || rest >= step)
		fail('invalid options.add', 'ERR_OUT_OF_RANGE', RangeError);
	const top = size > 1 ? 3n << BigInt(size - 2) : 1n, mask = (1n << BigInt(size)) - 1n;
	for (;;) {
		let value = (BigInt('0x' + randomBytes(Math.ceil(size / 8)).toString('hex')) | top) & mask;
		value += (rest - value % step + step) % step;
		if (size === 2 && add === undefined)
			value = safe ? 3n : 2n + (value & 1n);
		if (value <= mask && isPrime(value) && (!safe || size < 3 || isPrime(value >> 1n)))
			return bigint ? value : new Uint8Array(bytesOfBig(value)).buffer;
	}
}
const later = (done, action) => {
	if (typeof done !== 'function')
		return action();
	queueMicrotask(() => {
		let value;
		try {
			value = action();
		} catch (error) {
			return done(error);
		}
		done(null, value);
	});
};
const randomBytes = (size, done) => {
	needs.number(size, 'size');
	if (!(size >= 0 && size <= 2 ** 31 - 1))
		outOfRange('size', '>= 0 && <= 2147483647', size);
	return later(done, () => randomFillSync(Buffer.alloc(size)));
};
function randomInt(low, high, done) {
	if (high === undefined || typeof high === 'function')
		[low, high, done] = [0, low, high];
	for (const [value, name] of [[low, 'min'], [high, 'max']])
		Number.isSafeInteger(value) || wrongType(name, 'a safe integer', value);
	if (high <= low)
		outOfRange('max', `greater than the value of "min" (${low})`, high);
	const range = high - low;
	if (!(Number.isSafeInteger(low) && Number.isSafeInteger(high) && range > 0 && range <= 2 ** 48 - 1))
		fail('The range of randomInt is not one of whole numbers below 2 ** 48', 'ERR_OUT_OF_RANGE', RangeError);
	const most = 2 ** 48 - 2 ** 48 % range;
	return later(done, () => {
		for (;;) {
			const value = randomBytes(6).readUIntBE(0, 6);
			if (value < most)
				return low + value % range;
		}
	});
}
function timingSafeEqual(a, b) {
	for (const [value, name] of [[a, 'buf1'], [b, 'buf2']])
		ArrayBuffer.isView(value) || value instanceof ArrayBuffer || fail(`The "${name}" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.`, 'ERR_INVALID_ARG_TYPE', TypeError);
	const x = bytesOf(a), y = bytesOf(b);
	if (x.length !== y.length)
		fail('Input buffers must have the same byte length', 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', RangeError);
	return x.reduce((all, byte, i) => all | (byte ^ y[i]), 0) === 0;
}

const plain = (data) => Uint8Array.from(bytesOf(data));
function pbkdf2Sync(password, salt, rounds, length, hash) {
	const [key, seed] = [[password, 'password'], [salt, 'salt']].map(([value, name]) => Uint8Array.from(bytesOf(value, undefined, name, 'ArrayBuffer, Buffer, TypedArray, or DataView')));
	for (const [value, name, least] of [[rounds, 'iterations', 1], [length, 'keylen', 0]]) {
		needs.number(value, name);
		if (!Number.isInteger(value))
			outOfRange(name, 'an integer', value);
		if (value < least || value > 2 ** 31 - 1)
			outOfRange(name, `>= ${least} && <= 2147483647`, value);
	}
	const found = digestOf(hash);
	return told(found.number === undefined ? moreHashes.pbkdf2(found, key, seed, rounds, length) : pbkdf2(found.number, key, seed, rounds, length));
}
const hkdfSync = (hash, key, salt, info, length) => {
	needs.integer(length, 'length', 0, 2 ** 31 - 1);
	const found = digestOf(hash), given = [plain(key), plain(salt), plain(info), length];
	const bytes = found.number === undefined ? moreHashes.hkdf(found, ...given) : hkdf(found.number, ...given);
	return (bytes ?? fail('Invalid key length', 'ERR_CRYPTO_INVALID_KEYLEN', RangeError)).slice().buffer;
};
function scryptSync(password, salt, length, { N, cost = N ?? 16384, r, blockSize = r ?? 8, p, parallelization = p ?? 1, maxmem = 32 * 1024 * 1024 } = {}) {
	if (128 * cost * blockSize > maxmem)
		fail('Invalid scrypt params: memory limit exceeded', 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', RangeError);
	return told(binding.natives.scrypt(plain(password), plain(salt), cost, blockSize, parallelization, length) ?? fail('Invalid scrypt params', 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', RangeError));
}
let madeKeys;
const keys = () => madeKeys ??= require('../keys.js')({ fail, absent, bytesOf, told, hashNumber, hashBytes, later });
const keyNames = ['KeyObject', 'createSecretKey', 'createPrivateKey', 'createPublicKey', 'generateKeyPairSync', 'generateKeyPair', 'sign', 'verify', 'Sign', 'Verify', 'createSign', 'createVerify', 'publicEncrypt',
	'privateDecrypt', 'diffieHellman', 'ECDH', 'createECDH', 'getCurves', 'constants'];
const generateKeySync = (type, { length } = {}) => type === 'aes' && ![128, 192, 256].includes(length) ? fail(`The property 'options.length' must be one of: 128, 192, 256. Received ${binding.inspect(length)}`, 'ERR_INVALID_ARG_VALUE', TypeError) : keys().createSecretKey(randomBytes(length / 8));
const createHash = (name, options) => new Hash(name, options);
module.exports = {
	createHash, createHmac: (name, key) => new Hmac(name, key), Hash, Hmac, getHashes: () => [...moreHashes.names],
	hash: (name, data, encoding = 'hex') => createHash(name).update(data).digest(encoding),
	pbkdf2Sync, pbkdf2(password, salt, rounds, length, hash, done) {
		needs.callable(typeof hash === 'function' ? undefined : done, 'callback');
		later(done, () => pbkdf2Sync(password, salt, rounds, length, hash));
	},
	hkdfSync, hkdf: (hash, key, salt, info, length, done) => later(done, () => hkdfSync(hash, key, salt, info, length)),
	createCipheriv: (name, key, iv, options) => new (ciphers().Cipher)(true, name, key, iv, options), createDecipheriv: (name, key, iv, options) => new (ciphers().Cipher)(false, name, key, iv, options),
	getCiphers: () => ciphers().getCiphers(),
	generateKeySync, generateKey: (type, options, done) => later(done, () => generateKeySync(type, options)), scryptSync,
	scrypt: (password, salt, length, options, done) => typeof options === 'function' ? later(options, () => scryptSync(password, salt, length)) : later(done, () => scryptSync(password, salt, length, options)),
	webcrypto: globalThis.crypto, subtle: globalThis.crypto.subtle, getRandomValues: (target) => globalThis.crypto.getRandomValues(target),
	randomUUID: () => globalThis.crypto.randomUUID(), randomBytes, pseudoRandomBytes: randomBytes, randomFillSync, randomInt, timingSafeEqual,
	randomFill: (target, ...rest) => later(rest.pop(), () => randomFillSync(target, ...rest)), getFips: () => 0, getCipherInfo: (...args) => ciphers().getCipherInfo(...args), fips: 0, secureHeapUsed: () => ({ total: 0, used: 0, utilization: 0, min: 0 }),
	setFips(enabled) { enabled && fail('crypto.setFips is not here: Mbed TLS has no FIPS mode', 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'); }, setEngine: absent('setEngine'), checkPrimeSync, generatePrimeSync,
	checkPrime: (candidate, ...rest) => later(rest.pop(), () => checkPrimeSync(candidate)), generatePrime: (size, ...rest) => later(rest.pop(), () => generatePrimeSync(size, ...rest)),
};
// These can be called with `new`, which some packages do.
for (const name of ['createHash', 'createHmac', 'createCipheriv', 'createDecipheriv']) {
	const make = module.exports[name];
	module.exports[name] = { [name]: function (...args) { return make(...args); } }[name];
}
for (const name of ['createDiffieHellman', 'createDiffieHellmanGroup', 'getDiffieHellman', 'privateEncrypt', 'publicDecrypt', 'createCipher', 'createDecipher'])
	module.exports[name] = absent(name);
for (const name of ['X509Certificate', 'Certificate', 'Cipher', 'Decipher', 'DiffieHellman', 'DiffieHellmanGroup'])
	module.exports[name] = class { constructor() { absent(name)(); } };
for (const name of [...keyNames, 'Cipheriv', 'Decipheriv'])
	Object.defineProperty(module.exports, name, { configurable: true, enumerable: true,
		get: () => {
			const value = /cipheriv$/i.test(name) ? ciphers().Cipher : keys()[name];
			Object.defineProperty(module.exports, name, { value, writable: true, enumerable: true, configurable: true });
			return value;
		},
		set: (value) => { Object.defineProperty(module.exports, name, { value, writable: true, enumerable: true, configurable: true }); } });
