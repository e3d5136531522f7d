// SPDX-License-Identifier: Apache-2.0
// The hashes of node:crypto behind one interface: update(bytes), finish(length) and copy(). The platform's are those of
// crypto.subtle; others are in guest/hashes.c. HMAC, PBKDF2 and HKDF of the latter are made here.
const { newHasher, updateHasher, finishHasher, copyHasher } = binding.crypto;
const { newHash, updateHash, finishHash, copyHash } = binding.natives;

// The numbers of guest/crypto.c.
const numbers = { sha1: 0, sha256: 1, sha384: 2, sha512: 3, md5: 4, sha224: 5, ripemd160: 6, 'sha3-224': 7, 'sha3-256': 8, 'sha3-384': 9, 'sha3-512': 10 };
// [the number of guest/hashes.c, bytes of output, bytes of a block]
const others = { 'sha512-224': [0, 28, 128], 'sha512-256': [1, 32, 128], blake2b512: [2, 64, 128], blake2s256: [3, 32, 64], shake128: [4, 16], shake256: [5, 32] };
const lengths = [20, 32, 48, 64, 16, 28, 20, 28, 32, 48, 64];
const names = ['RSA-MD5', 'RSA-RIPEMD160', 'RSA-SHA1', 'RSA-SHA1-2', 'RSA-SHA224', 'RSA-SHA256', 'RSA-SHA3-224', 'RSA-SHA3-256', 'RSA-SHA3-384', 'RSA-SHA3-512', 'RSA-SHA384', 'RSA-SHA512', 'RSA-SHA512/224', 'RSA-SHA512/256',
	'blake2b512', 'blake2s256', 'md5', 'md5-sha1', 'md5WithRSAEncryption', 'ripemd', 'ripemd160', 'ripemd160WithRSA', 'rmd160', 'sha1', 'sha1WithRSAEncryption', 'sha224', 'sha224WithRSAEncryption', 'sha256', 'sha256WithRSAEncryption',
	'sha3-224', 'sha3-256', 'sha3-384', 'sha3-512', 'sha384', 'sha384WithRSAEncryption', 'sha512', 'sha512-224', 'sha512-224WithRSAEncryption', 'sha512-256', 'sha512-256WithRSAEncryption', 'sha512WithRSAEncryption',
	'shake128', 'shake256', 'ssl3-md5', 'ssl3-sha1'];
const plainName = (name) => {
	const key = String(name).toLowerCase().replace(/^(rsa|ssl3)-(?=.)/, '').replace(/withrsa(encryption)?$/, '').replace('/', '-').replace(/^sha-(\d+)/, 'sha$1');
	return { rmd160: 'ripemd160', ripemd: 'ripemd160', 'sha1-2': 'sha1' }[key] ?? key;
};

class Platform {
	#hasher;
	constructor(hasher) { this.#hasher = hasher; }
	update(bytes) { updateHasher(this.#hasher, bytes); }
	finish() { return finishHasher(this.#hasher); }
	copy() { return new Platform(copyHasher(this.#hasher)); }
}
class Other {
	#hash;
	#length;
	constructor(hash, length) {
		this.#hash = hash;
		this.#length = length;
	}
	update(bytes) { updateHash(this.#hash, bytes); }
	finish(length = this.#length) { return finishHash(this.#hash, length); }
	copy() { return new Other(copyHash(this.#hash), this.#length); }
}
const joined = (...parts) => {
	const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
	parts.reduce((at, part) => {
		whole.set(part, at);
		return at + part.length;
	}, 0);
	return whole;
};
class Pair {
	#hashes;
	constructor(...hashes) { this.#hashes = hashes; }
	update(bytes) { this.#hashes.forEach((hash) => hash.update(bytes)); }
	finish() { return joined(...this.#hashes.map((hash) => hash.finish())); }
	copy() { return new Pair(...this.#hashes.map((hash) => hash.copy())); }
}

// { open, length, block, isAny }: of a hash whose output may have any length, isAny is true. undefined: there is none.
function find(name) {
	const key = plainName(name);
	if (Object.hasOwn(numbers, key))
		return { number: numbers[key], length: lengths[numbers[key]], open: () => new Platform(newHasher(numbers[key], undefined)) };
	if (Object.hasOwn(others, key)) {
		const [kind, length, block] = others[key];
		return { length, block, isAny: block === undefined, open: () => new Other(newHash(kind), length) };
	}
	return key === 'md5-sha1' ? { length: 36, block: 64, open: () => new Pair(find('md5').open(), find('sha1').open()) } : undefined;
}

class Keyed {
	#inner;
	#outer;
	constructor(inner, outer) {
		this.#inner = inner;
		this.#outer = outer;
	}
	update(bytes) { this.#inner.update(bytes); }
	finish() {
		this.#outer.update(this.#inner.finish());
		return this.#outer.finish();
	}
	copy() { return new Keyed(this.#inner.copy(), this.#outer.copy()); }
}
function openHmac({ number, block, open }, key) {
	if (number !== undefined)
		return new Platform(newHasher(number, key));
	let given = key;
	if (given.length > block) {
		const hash = open();
		hash.update(given);
		given = hash.finish();
	}
	const padded = new Uint8Array(block), pair = [open(), open()];
	padded.set(given);
	pair.forEach((hash, i) => hash.update(padded.map((byte) => byte ^ [0x36, 0x5c][i])));
	return new Keyed(...pair);
}

function pbkdf2(hash, password, salt, rounds, length) {
	const keyed = openHmac(hash, password), out = new Uint8Array(length), mac = (...parts) => {
		const one = keyed.copy();
		parts.forEach((part) => one.update(part));
		return one.finish();
	};
	for (let at = 0, block = 1; at < length; at += hash.length, block++) {
		let last = mac(salt, new Uint8Array([block >>> 24, block >>> 16, block >>> 8, block]));
		const sum = last.slice();
		for (let round = 1; round < rounds; round++) {
			last = mac(last);
			for (let i = 0; i < sum.length; i++)
				sum[i] ^= last[i];
		}
		out.set(sum.subarray(0, length - at), at);
	}
	return out;
}
function hkdf(hash, key, salt, info, length) {
	if (length > 255 * hash.length)
		return undefined;
	const extract = openHmac(hash, salt);
	extract.update(key);
	const secret = extract.finish(), out = new Uint8Array(length);
	for (let at = 0, block = 1, last = new Uint8Array(0); at < length; at += hash.length, block++) {
		const expand = openHmac(hash, secret);
		expand.update(joined(last, info, Uint8Array.of(block)));
		last = expand.finish();
		out.set(last.subarray(0, length - at), at);
	}
	return out;
}
module.exports = { find, openHmac, pbkdf2, hkdf, names };
