// SPDX-License-Identifier: Apache-2.0
// The ciphers of node:crypto, block by block: AES on the code of crypto.subtle, and ChaCha20 (guest/hashes.c).
const { aes } = binding.crypto;
const { chacha, poly } = binding.natives;

module.exports = ({ fail, bytesOf, told, streaming }) => {
	const { needs } = require('internal/errors');
	// Those up to CFB8 are the numbers of guest/crypto.c.
	const CBC = 0, CTR = 1, GCM = 2, ECB = 4, OFB = 5, CFB = 6, CFB8 = 7, CCM = 8, CHACHA = 9, CHACHA_POLY = 10, BLOCK = 16, CHACHA_BLOCK = 64;
	const modes = { cbc: CBC, ctr: CTR, gcm: GCM, ecb: ECB, ofb: OFB, cfb: CFB, cfb8: CFB8, ccm: CCM };
	// The number of the cipher in OpenSSL's list of objects, by its mode and bits.
	const cipherNumbers = { ecb: [418, 422, 426], cbc: [419, 423, 427], ctr: [904, 905, 906], gcm: [895, 898, 901], ccm: [896, 899, 902], cfb: [421, 425, 429], cfb8: [653, 654, 655], ofb: [420, 424, 428] };
	const chachaNumbers = { 'chacha20-poly1305': 1018, chacha20: 1019 };
	const allCiphers = [...Object.entries(cipherNumbers).flatMap(([mode, numbers]) => numbers.map((nid, i) => ({ mode, nid, bits: 128 + 64 * i, plain: `aes-${128 + 64 * i}-${mode}` }))),
		...Object.entries(chachaNumbers).map(([plain, nid]) => ({ mode: 'stream', nid, bits: 256, plain }))];
	const plainName = (name) => name.toLowerCase().replace(/^aes-?(128|192|256)$/, 'aes-$1-cbc').replace(/^(?:id-)?aes-?(128|192|256)-?(gcm|ccm)$/, 'aes-$1-$2');
	function cipherOf(name) {
		needs.text(name, 'cipher');
		const found = allCiphers.find(({ plain }) => plain === plainName(name)) ?? fail('Unknown cipher', 'ERR_CRYPTO_UNKNOWN_CIPHER');
		return { ...found, mode: found.mode === 'stream' ? (found.plain === 'chacha20' ? CHACHA : CHACHA_POLY) : modes[found.mode] };
	}
	function getCipherInfo(given, options = {}) {
		if (typeof given !== 'string' && typeof given !== 'number')
			require('internal/errors').wrongType('nameOrNid', 'one of type string or number', given);
		const found = allCiphers.find(({ plain, nid }) => typeof given === 'number' ? nid === given : plain === plainName(given));
		if (!found)
			return undefined;
		const { mode, nid, bits, plain } = found, isSealed = mode === 'gcm' || mode === 'ccm', ivLength = isSealed || plain === 'chacha20-poly1305' ? 12 : mode === 'ecb' ? 0 : 16;
		if (options.keyLength !== undefined && options.keyLength !== bits / 8)
			return undefined;
		const { ivLength: wanted } = options;
		if (wanted !== undefined && (mode === 'gcm' ? wanted < 1 : mode === 'ccm' ? wanted < 7 || wanted > 13 : wanted !== ivLength))
			return undefined;
		return { mode: mode === 'cfb8' ? 'cfb' : mode, name: isSealed ? `id-aes${bits}-${mode}` : plain, nid, ...(mode === 'stream' ? {} : { blockSize: mode === 'cbc' || mode === 'ecb' ? 16 : 1 }),
			...(ivLength > 0 ? { ivLength: wanted ?? ivLength } : {}), keyLength: bits / 8 };
	}
	const getCiphers = () => allCiphers.map(({ plain }) => plain).sort();
	// The counter after some blocks; only its last `width` bytes count.
	function countUp(counter, blocks, width) {
		const next = Uint8Array.from(counter);
		for (let at = BLOCK - 1, carry = blocks; at >= BLOCK - width && carry > 0; at--) {
			const sum = next[at] + carry % 256;
			next[at] = sum;
			carry = Math.floor(carry / 256) + (sum > 255 ? 1 : 0);
		}
		return next;
	}
	const none = new Uint8Array(0);
	// What it is followed by: zeros up to a whole block.
	const padded = (bytes) => [bytes, new Uint8Array((BLOCK - bytes.length % BLOCK) % BLOCK)];
	const tagLengths = { [GCM]: (length) => [4, 8, 12, 13, 14, 15, 16].includes(length), [CCM]: (length) => length >= 4 && length <= 16 && length % 2 === 0, [CHACHA_POLY]: (length) => length >= 1 && length <= 16 };
	class Cipher {
		#encrypts; #cipher; #key; #iv; #extra = []; #tag; #padding = true; #tagLength;
		#held = none; // bytes that do not fill a block yet
		#parts = []; // with GCM: the whole input, from which the tag is computed at the end
		#counter; #offset = 0; // of CTR, and of GCM if its initialization vector has 12 bytes
		#blockNumber; // of ChaCha20
		#isRead = false;
		#isOver = false;
		#encoding;
		constructor(encrypts, name, key, iv, options) {
			this.#encrypts = encrypts;
			this.#cipher = cipherOf(name);
			const { mode, bits } = this.#cipher;
			this.#key = Uint8Array.from(bytesOf(key, undefined, 'key', 'ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey'));
			this.#iv = iv === null ? none : Uint8Array.from(bytesOf(iv, undefined, 'iv', 'ArrayBuffer, Buffer, TypedArray, or DataView'));
			const length = options?.authTagLength;
			if (length === undefined && mode === CCM)
				fail(`authTagLength required for ${name}`, 'ERR_CRYPTO_INVALID_AUTH_TAG', TypeError);
			if (length !== undefined && tagLengths[mode] && !tagLengths[mode](length))
				fail(`Invalid authentication tag length: ${length}`, 'ERR_CRYPTO_INVALID_AUTH_TAG', TypeError);
			this.#tagLength = length ?? 16;
			if (this.#key.length !== bits / 8)
				fail('Invalid key length', 'ERR_CRYPTO_INVALID_KEYLEN', RangeError);
			if (mode === GCM ? this.#iv.length === 0 : mode === CCM ? this.#iv.length < 7 || this.#iv.length > 13 : this.#iv.length !== (mode === ECB ? 0 : mode === CHACHA_POLY ? 12 : BLOCK))
				fail('Invalid initialization vector', 'ERR_CRYPTO_INVALID_IV', TypeError);
			if (mode === CTR)
				this.#counter = this.#iv;
			else if (mode === GCM && this.#iv.length === 12)
				this.#counter = Uint8Array.from([...this.#iv, 0, 0, 0, 2]);
			else if (mode === CHACHA || mode === CHACHA_POLY)
				this.#blockNumber = mode === CHACHA ? new DataView(this.#iv.buffer).getUint32(0, true) : 1;
		}
		#told(bytes, encoding) {
			if (encoding && encoding !== 'buffer') {
				this.#encoding ??= new (require('string_decoder').StringDecoder)(encoding);
				return this.#encoding.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
			}
			return told(bytes);
		}
		// With a counter, each byte is known at once.
		#stream(bytes) {
			const padded = new Uint8Array(this.#offset + bytes.length);
			padded.set(bytes, this.#offset);
			const result = aes(CTR, true, this.#key, this.#counter, padded, none, this.#cipher.mode === GCM ? 32 : 128).subarray(this.#offset);
			this.#counter = countUp(this.#counter, Math.floor(padded.length / BLOCK), this.#cipher.mode === GCM ? 4 : BLOCK);
			this.#offset = padded.length % BLOCK;
			return result;
		}
		#chacha(bytes) {
			const { mode } = this.#cipher, padded = new Uint8Array(this.#offset + bytes.length);
			padded.set(bytes, this.#offset);
			const result = chacha(this.#key, mode === CHACHA ? this.#iv.subarray(4) : this.#iv, this.#blockNumber, padded).subarray(this.#offset);
			this.#blockNumber = (this.#blockNumber + Math.floor(padded.length / CHACHA_BLOCK)) >>> 0;
			this.#offset = padded.length % CHACHA_BLOCK;
			return result;
		}
		// A block that is not complete yet is computed again with what follows.
		#feedback(bytes) {
			const { mode } = this.#cipher, all = Uint8Array.from(Buffer.concat([this.#held, bytes])), done = this.#held.length;
			const result = aes(mode, this.#encrypts, this.#key, this.#iv, all, none, 1), cipherText = this.#encrypts ? result : all;
			const end = mode === CFB8 ? all.length : all.length - all.length % BLOCK;
			if (mode === CFB8)
				this.#iv = Uint8Array.from(Buffer.concat([this.#iv, cipherText])).slice(-BLOCK);
			else if (end > 0)
				this.#iv = mode === CFB ? cipherText.slice(end - BLOCK, end) : all.slice(end - BLOCK, end).map((byte, i) => byte ^ result[end - BLOCK + i]);
			this.#held = all.slice(end);
			return result.subarray(done);
		}
		// CCM: counter mode, and a tag that CBC makes of the lengths, the additional data and the text.
		#ccm(bytes) {
			const size = 15 - this.#iv.length, extra = Buffer.concat(this.#extra), counter = (last) => Uint8Array.from([size - 1, ...this.#iv, ...new Uint8Array(size - 1), last]);
			const run = (data) => data.length === 0 ? none : aes(CTR, true, this.#key, counter(1), data, none, size * 8);
			const text = this.#encrypts ? bytes : run(bytes), first = Buffer.alloc(BLOCK), head = Buffer.alloc(extra.length === 0 ? 0 : extra.length < 0xff00 ? 2 : 6);
			first[0] = (extra.length > 0 ? 64 : 0) | (this.#tagLength - 2) / 2 << 3 | (size - 1);
			first.set(this.#iv, 1);
			first.writeUIntBE(text.length, BLOCK - Math.min(size, 6), Math.min(size, 6));
			if (head.length === 2)
				head.writeUInt16BE(extra.length);
			else if (head.length > 0)
				head.writeUIntBE(0xfffe * 2 ** 32 + extra.length, 0, 6);
			const blocks = Uint8Array.from(Buffer.concat([first, ...padded(Buffer.concat([head, extra])), ...padded(text)]));
			const sum = aes(CBC, true, this.#key, new Uint8Array(BLOCK), blocks, none, 1).slice(-BLOCK), mask = aes(ECB, true, this.#key, none, counter(0), none, 1);
			const tag = sum.map((byte, i) => byte ^ mask[i]).slice(0, this.#tagLength);
			if (this.#encrypts) {
				this.#tag = tag;
				return run(bytes);
			}
			this.#isGood = this.#tag !== undefined && Buffer.compare(tag, this.#tag) === 0;
			return this.#isGood ? text : none;
		}
		#isGood = false;
		// The tag of ChaCha20-Poly1305, whose key is the block before the first.
		#poly() {
			const key = chacha(this.#key, this.#iv, 0, new Uint8Array(32)), extra = Buffer.concat(this.#extra), text = Buffer.concat(this.#parts), sizes = Buffer.alloc(16);
			sizes.writeBigUInt64LE(BigInt(extra.length), 0);
			sizes.writeBigUInt64LE(BigInt(text.length), 8);
			const tag = poly(key, Uint8Array.from(Buffer.concat([...padded(extra), ...padded(text), sizes]))).slice(0, this.#tagLength);
			if (!this.#encrypts && (this.#tag === undefined || Buffer.compare(tag, this.#tag) !== 0))
				fail('Unsupported state or unable to authenticate data');
			this.#tag = tag;
			return none;
		}
		// Whole blocks, without padding. The last block of CBC's ciphertext is the next initialization vector.
		#blocks(bytes) {
			if (bytes.length === 0)
				return none;
			const { mode } = this.#cipher, result = mode === ECB ? this.#eachBlock(bytes) : aes(CBC, this.#encrypts, this.#key, this.#iv, bytes, none, 1);
			if (!result)
				fail('error:1C800064:Provider routines::bad decrypt', 'ERR_OSSL_BAD_DECRYPT');
			if (mode === CBC)
				this.#iv = Uint8Array.from((this.#encrypts ? result : bytes).subarray(-BLOCK));
			return result;
		}
		#eachBlock(bytes) { return aes(ECB, this.#encrypts, this.#key, none, bytes, none, 1); }
		update(data, inputEncoding, outputEncoding) {
			const bytes = Uint8Array.from(bytesOf(data, inputEncoding)), { mode } = this.#cipher;
			if (this.#isOver || (mode === CCM && this.#isRead))
				fail('Trying to add data in unsupported state');
			this.#isRead = true;
			if (mode === CCM)
				return this.#told(this.#ccm(bytes), outputEncoding);
			if (bytes.length === 0 && mode >= OFB)
				return this.#told(none, outputEncoding);
			if (mode === OFB || mode === CFB || mode === CFB8)
				return this.#told(this.#feedback(bytes), outputEncoding);
			if (mode === CHACHA || mode === CHACHA_POLY) {
				const result = this.#chacha(bytes);
				if (mode === CHACHA_POLY)
					this.#parts.push(Uint8Array.from(this.#encrypts ? result : bytes));
				return this.#told(result, outputEncoding);
			}
			if (mode === GCM)
				this.#parts.push(bytes);
			if (this.#counter)
				return this.#told(bytes.length === 0 ? none : this.#stream(bytes), outputEncoding);
			if (mode === GCM)
				return this.#told(none, outputEncoding);
			const all = Uint8Array.from(Buffer.concat([this.#held, bytes]));
			// The last block that is decrypted may be padding.
			const keeps = !this.#encrypts && this.#padding && all.length > 0 && all.length % BLOCK === 0 ? BLOCK : all.length % BLOCK;
			this.#held = all.slice(all.length - keeps);
			return this.#told(this.#blocks(all.slice(0, all.length - keeps)), outputEncoding);
		}
		final(outputEncoding) {
			if (this.#isOver)
				fail('Invalid state', 'ERR_CRYPTO_INVALID_STATE');
			const { mode } = this.#cipher;
			if (mode === CCM && this.#encrypts && !this.#isRead)
				fail('error:1C800077:Provider routines::tag not set', 'ERR_OSSL_TAG_NOT_SET');
			if (mode === CCM && !this.#encrypts && !this.#isGood)
				fail('Unsupported state or unable to authenticate data');
			this.#isOver = true;
			const rest = mode === GCM ? this.#seal() : mode === CHACHA_POLY ? this.#poly() : mode === CBC || mode === ECB ? this.#last() : none;
			const result = this.#told(rest, outputEncoding);
			return typeof result === 'string' ? result + this.#encoding.end() : result;
		}
		#last() {
			const held = this.#held, wrong = () => fail('error:1C80006B:Provider routines::wrong final block length', 'ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH');
			if (!this.#padding)
				return held.length > 0 ? wrong() : none;
			if (this.#encrypts) {
				const block = new Uint8Array(BLOCK).fill(BLOCK - held.length);
				block.set(held);
				return this.#blocks(block);
			}
			if (held.length !== BLOCK)
				wrong();
			const block = this.#blocks(held), count = block[BLOCK - 1];
			if (count === 0 || count > BLOCK || block.subarray(BLOCK - count).some((byte) => byte !== count))
				fail('error:1C800064:Provider routines::bad decrypt', 'ERR_OSSL_BAD_DECRYPT');
			return block.slice(0, BLOCK - count);
		}
		// Computes or checks the tag.
		#seal() {
			const refuse = () => fail('Unsupported state or unable to authenticate data');
			const data = Uint8Array.from(Buffer.concat(this.#encrypts ? this.#parts : [...this.#parts, this.#tag ?? refuse()]));
			const result = aes(GCM, this.#encrypts, this.#key, this.#iv, data, Uint8Array.from(Buffer.concat(this.#extra)), this.#tagLength) ?? refuse();
			this.#parts = [];
			if (this.#encrypts)
				this.#tag = result.slice(result.length - this.#tagLength);
			return this.#counter ? none : this.#encrypts ? result.slice(0, result.length - this.#tagLength) : result;
		}
		setAAD(data, options) {
			if (this.#cipher.mode === CCM && options?.plaintextLength === undefined)
				fail('options.plaintextLength required for CCM mode with AAD', 'ERR_MISSING_ARGS', TypeError);
			this.#extra.push(Uint8Array.from(bytesOf(data, undefined, 'buffer')));
			return this;
		}
		setAuthTag(tag, encoding) {
			const bytes = Uint8Array.from(bytesOf(tag, encoding, 'buffer'));
			if (!(this.#cipher.mode === CCM ? bytes.length === this.#tagLength : tagLengths[GCM](bytes.length)))
				fail('Invalid authentication tag length: ' + bytes.length, 'ERR_CRYPTO_INVALID_AUTH_TAG', TypeError);
			this.#tag = bytes;
			this.#tagLength = bytes.length;
			return this;
		}
		getAuthTag() { return this.#encrypts && this.#isOver && this.#tag ? Buffer.from(this.#tag) : fail('Invalid state for operation getAuthTag', 'ERR_CRYPTO_INVALID_STATE'); }
		setAutoPadding(padding = true) {
			this.#padding = Boolean(padding);
			return this;
		}
	}
	streaming(Cipher);
	return { Cipher, getCiphers, getCipherInfo };
};
