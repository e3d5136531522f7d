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
	randomFill: (target, ...rest) => later(rest.pop(), () => randomFillSync(target, ...rest)), getFips: () => 0,
};
for (const name of ['createDiffieHellman', 'createDiffieHellmanGroup', 'getDiffieHellman', 'privateEncrypt', 'publicDecrypt', 'generatePrime', 'generatePrimeSync', 'checkPrime', 'checkPrimeSync'])
	module.exports[name] = absent(name);
for (const name of ['X509Certificate', 'Certificate', 'DiffieHellman', 'DiffieHellmanGroup'])
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
