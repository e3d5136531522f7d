// SPDX-License-Identifier: Apache-2.0
// node:crypto, on the same code as crypto.subtle: Mbed TLS, in the guest.
const { Buffer } = require('buffer');
const { hkdf, pbkdf2, aes, newHasher, updateHasher, finishHasher, copyHasher } = binding.crypto;

const fail = (message, code, Kind = Error) => { throw Object.assign(new Kind(message), { code }); };
const absent = (name) => function () {
	fail('crypto.' + name + ' is not here: use crypto.subtle, or a package', 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM');
};
// The numbers of guest/crypto.c.
const hashes = { sha1: 0, sha256: 1, sha384: 2, sha512: 3, md5: 4, sha224: 5, ripemd160: 6, rmd160: 6, 'sha3-224': 7, 'sha3-256': 8, 'sha3-384': 9, 'sha3-512': 10 };

function hashNumber(name) {
	const key = String(name).toLowerCase().replace(/^rsa-/, '').replace(/^sha-(\d+)$/, 'sha$1');
	return hashes[key] ?? fail('Digest method not supported: ' + name, 'ERR_CRYPTO_INVALID_DIGEST');
}

function bytesOf(data, encoding) {
	if (typeof data === 'string')
		return Buffer.from(data, encoding === 'buffer' ? 'utf8' : encoding);
	if (madeKeys && data instanceof madeKeys.KeyObject)
		return data.export();
	if (ArrayBuffer.isView(data))
		return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	if (data instanceof ArrayBuffer)
		return new Uint8Array(data);
	return fail('The data is neither a string nor bytes', 'ERR_INVALID_ARG_TYPE', TypeError);
}
// The length of each of these hashes.
const hashBytes = [20, 32, 48, 64, 16, 28, 20, 28, 32, 48, 64];
const told = (bytes, encoding) => encoding && encoding !== 'buffer' ? Buffer.from(bytes).toString(encoding) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// Hashes are streams too. Their stream is created at its first use.
function streaming(Kind) {
	for (const name of ['on', 'once', 'pipe', 'write', 'end', 'read', 'emit', 'setEncoding', 'removeListener']) {
		Kind.prototype[name] = function (...args) {
			this._stream ??= new (require('stream').Transform)({
				transform: (chunk, encoding, done) => { this.update(chunk, encoding); done(); },
				flush: (done) => { done(null, this.digest()); },
			});
			const result = this._stream[name](...args);
			return result === this._stream ? this : result;
		};
	}
}

const viewOf = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

class Hash {
	#hasher;
	constructor(name, hasher) {
		this.#hasher = hasher ?? newHasher(hashNumber(name), undefined);
		this._name = name;
	}
	#need() { return this.#hasher ?? fail('Digest already called', 'ERR_CRYPTO_HASH_FINALIZED'); }
	update(data, encoding) {
		updateHasher(this.#need(), viewOf(bytesOf(data, encoding)));
		return this;
	}
	digest(encoding) {
		const result = finishHasher(this.#need());
		this.#hasher = undefined;
		return told(result, encoding);
	}
	copy() { return new Hash(this._name, copyHasher(this.#need())); }
}
streaming(Hash);

class Hmac {
	#hasher;
	constructor(name, key) { this.#hasher = newHasher(hashNumber(name), viewOf(bytesOf(key))); }
	update(data, encoding) {
		updateHasher(this.#hasher ?? fail('Digest already called', 'ERR_CRYPTO_HASH_FINALIZED'), viewOf(bytesOf(data, encoding)));
		return this;
	}
	digest(encoding) {
		if (!this.#hasher)
			return told(new Uint8Array(0), encoding);
		const result = finishHasher(this.#hasher);
		this.#hasher = undefined;
		return told(result, encoding);
	}
}
streaming(Hmac);

// ---- AES, which is computed at the end ----

const CBC = 0, CTR = 1, GCM = 2, ECB = 4;
function cipherOf(name) {
	const [, bits, mode] = /^aes-?(128|192|256)-?(cbc|ctr|gcm|ecb)$/i.exec(name) ?? fail('Unknown cipher: ' + name, 'ERR_CRYPTO_UNKNOWN_CIPHER');
	return { bits: +bits, mode: { cbc: CBC, ctr: CTR, gcm: GCM, ecb: ECB }[mode.toLowerCase()] };
}
class Cipher {
	#encrypts; #cipher; #key; #iv; #parts = []; #extra = []; #tag; #padding = true; #tagLength;
	constructor(encrypts, name, key, iv, options) {
		this.#encrypts = encrypts;
		this.#cipher = cipherOf(name);
		this.#key = Uint8Array.from(bytesOf(key));
		this.#iv = iv === null ? new Uint8Array(0) : Uint8Array.from(bytesOf(iv));
		this.#tagLength = options?.authTagLength ?? 16;
		if (this.#key.length !== this.#cipher.bits / 8)
			fail('Invalid key length', 'ERR_CRYPTO_INVALID_KEYLEN', RangeError);
		if (this.#cipher.mode !== GCM && this.#iv.length !== (this.#cipher.mode === ECB ? 0 : 16))
			fail('Invalid initialization vector', 'ERR_CRYPTO_INVALID_IV', TypeError);
	}
	update(data, inputEncoding, outputEncoding) {
		this.#parts.push(Uint8Array.from(bytesOf(data, inputEncoding)));
		return told(new Uint8Array(0), outputEncoding);
	}
	final(outputEncoding) {
		const { mode } = this.#cipher;
		let data = Uint8Array.from(Buffer.concat(this.#parts));
		const extra = Uint8Array.from(Buffer.concat(this.#extra));
		if (mode === GCM && !this.#encrypts)
			data = Uint8Array.from(Buffer.concat([data, this.#tag ?? fail('Unsupported state or unable to authenticate data')]));
		const number = mode === GCM ? this.#tagLength : mode === CTR ? 128 : this.#padding ? 0 : 1;
		const result = aes(mode, this.#encrypts, this.#key, this.#iv, data, extra, number);
		if (!result)
			fail(mode === GCM ? 'Unsupported state or unable to authenticate data' : this.#encrypts ? 'wrong final block length' : 'bad decrypt', mode === GCM ? undefined : 'ERR_OSSL_BAD_DECRYPT');
		if (mode !== GCM || !this.#encrypts)
			return told(result, outputEncoding);
		this.#tag = result.slice(result.length - this.#tagLength);
		return told(result.slice(0, result.length - this.#tagLength), outputEncoding);
	}
	setAAD(data) {
		this.#extra.push(Uint8Array.from(bytesOf(data)));
		return this;
	}
	setAuthTag(tag) {
		this.#tag = Uint8Array.from(bytesOf(tag));
		this.#tagLength = this.#tag.length;
		return this;
	}
	getAuthTag() { return Buffer.from(this.#tag ?? fail('Invalid state for operation getAuthTag', 'ERR_CRYPTO_INVALID_STATE')); }
	setAutoPadding(padding = true) {
		this.#padding = padding;
		return this;
	}
}
for (const name of ['on', 'once', 'pipe', 'write', 'end', 'read', 'emit', 'removeListener']) {
	Cipher.prototype[name] = function (...args) {
		this._stream ??= new (require('stream').Transform)({ transform: (chunk, encoding, done) => done(null, this.update(chunk, encoding)), flush: (done) => done(null, this.final()) });
		const result = this._stream[name](...args);
		return result === this._stream ? this : result;
	};
}

// ---- Random ----

function randomFillSync(target, offset = 0, size = target.byteLength - offset) {
	const bytes = bytesOf(target).subarray(offset, offset + size);
	for (let at = 0; at < bytes.length; at += 65536)
		globalThis.crypto.getRandomValues(bytes.subarray(at, at + 65536));
	return target;
}
// The number of the cipher in OpenSSL's list of objects, by its mode and bits.
const cipherNumbers = { ecb: [418, 422, 426], cbc: [419, 423, 427], ctr: [904, 905, 906], gcm: [895, 898, 901] };
function getCipherInfo(given, options = {}) {
	const { wrongType } = require('internal/errors');
	if (typeof given !== 'string' && typeof given !== 'number')
		wrongType('nameOrNid', 'one of type string or number', given);
	const all = Object.entries(cipherNumbers).flatMap(([mode, numbers]) => numbers.map((nid, i) => ({ mode, nid, bits: 128 + 64 * i })));
	const text = typeof given === 'string' ? given.toLowerCase().replace(/^aes(128|192|256)$/, 'aes-$1-cbc').replace(/^id-aes(\d+)-gcm$/, 'aes-$1-gcm') : undefined;
	const found = all.find(({ mode, nid, bits }) => text === undefined ? nid === given : text === `aes-${bits}-${mode}`);
	if (!found)
		return undefined;
	const { mode, nid, bits } = found, ivLength = { ecb: 0, gcm: 12 }[mode] ?? 16;
	if (options.keyLength !== undefined && options.keyLength !== bits / 8)
		return undefined;
	if (options.ivLength !== undefined && (mode === 'gcm' ? options.ivLength < 1 : options.ivLength !== ivLength))
		return undefined;
	const name = mode === 'gcm' ? `id-aes${bits}-gcm` : `aes-${bits}-${mode}`;
	return { mode, name, nid, blockSize: mode === 'ctr' || mode === 'gcm' ? 1 : 16, ...(ivLength > 0 ? { ivLength: options.ivLength ?? ivLength } : {}), keyLength: bits / 8 };
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
	require('internal/errors').needs.integer(size, 'size', 1, 2 ** 31 - 1);
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
const randomBytes = (size, done) => later(done, () => randomFillSync(Buffer.alloc(size)));
function randomInt(low, high, done) {
	if (high === undefined || typeof high === 'function')
		[low, high, done] = [0, low, high];
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
	const x = bytesOf(a), y = bytesOf(b);
	if (x.length !== y.length)
		fail('Input buffers must have the same byte length', 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', RangeError);
	return x.reduce((all, byte, i) => all | (byte ^ y[i]), 0) === 0;
}

const plain = (data) => Uint8Array.from(bytesOf(data));
const pbkdf2Sync = (password, salt, rounds, length, hash) => told(pbkdf2(hashNumber(hash), plain(password), plain(salt), rounds, length));
const hkdfSync = (hash, key, salt, info, length) => {
	const bytes = hkdf(hashNumber(hash), plain(key), plain(salt), plain(info), length);
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
const generateKeySync = (type, { length }) => keys().createSecretKey(randomBytes(length / 8));
const createHash = (name) => new Hash(name);
module.exports = {
	createHash, createHmac: (name, key) => new Hmac(name, key), Hash, Hmac, getHashes: () => Object.keys(hashes),
	hash: (name, data, encoding = 'hex') => createHash(name).update(data).digest(encoding),
	pbkdf2Sync, pbkdf2: (password, salt, rounds, length, hash, done) => later(done, () => pbkdf2Sync(password, salt, rounds, length, hash)),
	hkdfSync, hkdf: (hash, key, salt, info, length, done) => later(done, () => hkdfSync(hash, key, salt, info, length)),
	createCipheriv: (name, key, iv, options) => new Cipher(true, name, key, iv, options), createDecipheriv: (name, key, iv, options) => new Cipher(false, name, key, iv, options),
	Cipheriv: Cipher, Decipheriv: Cipher, getCiphers: () => [128, 192, 256].flatMap((bits) => ['cbc', 'ctr', 'ecb', 'gcm'].map((mode) => 'aes-' + bits + '-' + mode)),
	generateKeySync, generateKey: (type, options, done) => later(done, () => generateKeySync(type, options)), scryptSync,
	scrypt: (password, salt, length, options, done) => typeof options === 'function' ? later(options, () => scryptSync(password, salt, length)) : later(done, () => scryptSync(password, salt, length, options)),
	webcrypto: globalThis.crypto, subtle: globalThis.crypto.subtle, getRandomValues: (target) => globalThis.crypto.getRandomValues(target),
	randomUUID: () => globalThis.crypto.randomUUID(), randomBytes, pseudoRandomBytes: randomBytes, randomFillSync, randomInt, timingSafeEqual,
	randomFill: (target, ...rest) => later(rest.pop(), () => randomFillSync(target, ...rest)), getFips: () => 0, getCipherInfo, fips: 0, secureHeapUsed: () => ({ total: 0, used: 0, utilization: 0, min: 0 }),
	setFips(enabled) { enabled && fail('crypto.setFips is not here: Mbed TLS has no FIPS mode', 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'); }, setEngine: absent('setEngine'), checkPrimeSync, generatePrimeSync,
	checkPrime: (candidate, ...rest) => later(rest.pop(), () => checkPrimeSync(candidate)), generatePrime: (size, ...rest) => later(rest.pop(), () => generatePrimeSync(size, ...rest)),
};
for (const name of ['createDiffieHellman', 'createDiffieHellmanGroup', 'getDiffieHellman', 'privateEncrypt', 'publicDecrypt', 'createCipher', 'createDecipher'])
	module.exports[name] = absent(name);
for (const name of ['X509Certificate', 'Certificate', 'Cipher', 'Decipher', 'DiffieHellman', 'DiffieHellmanGroup'])
	module.exports[name] = class { constructor() { absent(name)(); } };
// Signatures are streams, whose module is large. So they are loaded at their first use.
for (const name of keyNames)
	Object.defineProperty(module.exports, name, { configurable: true, enumerable: true,
		get: () => {
			const value = keys()[name];
			Object.defineProperty(module.exports, name, { value, writable: true, enumerable: true, configurable: true });
			return value;
		},
		set: (value) => { Object.defineProperty(module.exports, name, { value, writable: true, enumerable: true, configurable: true }); } });
