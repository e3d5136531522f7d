// SPDX-License-Identifier: Apache-2.0
// Keys and signatures of node:crypto, a part of modules/crypto.js. It works on the key records of crypto.subtle
// (guest/prelude/83-crypto-keys.js) and on Mbed TLS. tools: the helpers of both parts.
const { Buffer } = require('buffer');
const { importKeyFrom, exportKeyTo, newPair, newCryptoKey, isCryptoKey, keyRecord, rsa, ecSign, ecVerify, ecDerive, edSign, edVerify, xDerive, ecPublic, ecPoint } = binding.crypto;

module.exports = ({ fail, absent, bytesOf, told, hashNumber, hashBytes, later }) => {
	const ciphers = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:' +
		'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:EC' +
		'DHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:DHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-SHA256:DHE-RSA-AES256-SHA256:HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!SRP:!CAMELLIA';
	const constants = { __proto__: null, OPENSSL_VERSION_NUMBER: 805306672, SSL_OP_ALL: 2147485776, SSL_OP_ALLOW_NO_DHE_KEX: 1024, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION: 262144,
		SSL_OP_CIPHER_SERVER_PREFERENCE: 4194304, SSL_OP_CISCO_ANYCONNECT: 32768, SSL_OP_COOKIE_EXCHANGE: 8192, SSL_OP_CRYPTOPRO_TLSEXT_BUG: 2147483648,
		SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS: 2048, SSL_OP_LEGACY_SERVER_CONNECT: 4, SSL_OP_NO_COMPRESSION: 131072, SSL_OP_NO_ENCRYPT_THEN_MAC: 524288, SSL_OP_NO_QUERY_MTU: 4096,
		SSL_OP_NO_RENEGOTIATION: 1073741824, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION: 65536, SSL_OP_NO_SSLv2: 0, SSL_OP_NO_SSLv3: 33554432, SSL_OP_NO_TICKET: 16384,
		SSL_OP_NO_TLSv1: 67108864, SSL_OP_NO_TLSv1_1: 268435456, SSL_OP_NO_TLSv1_2: 134217728, SSL_OP_NO_TLSv1_3: 536870912, SSL_OP_PRIORITIZE_CHACHA: 2097152,
		SSL_OP_TLS_ROLLBACK_BUG: 8388608, ENGINE_METHOD_RSA: 1, ENGINE_METHOD_DSA: 2, ENGINE_METHOD_DH: 4, ENGINE_METHOD_RAND: 8, ENGINE_METHOD_EC: 2048, ENGINE_METHOD_CIPHERS:
		64, ENGINE_METHOD_DIGESTS: 128, ENGINE_METHOD_PKEY_METHS: 512, ENGINE_METHOD_PKEY_ASN1_METHS: 1024, ENGINE_METHOD_ALL: 65535, ENGINE_METHOD_NONE: 0,
		DH_CHECK_P_NOT_SAFE_PRIME: 2, DH_CHECK_P_NOT_PRIME: 1, DH_UNABLE_TO_CHECK_GENERATOR: 4, DH_NOT_SUITABLE_GENERATOR: 8, RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3,
		RSA_PKCS1_OAEP_PADDING: 4, RSA_X931_PADDING: 5, RSA_PKCS1_PSS_PADDING: 6, RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2,
		TLS1_VERSION: 769, TLS1_1_VERSION: 770, TLS1_2_VERSION: 771, TLS1_3_VERSION: 772, POINT_CONVERSION_COMPRESSED: 2, POINT_CONVERSION_UNCOMPRESSED: 4,
		POINT_CONVERSION_HYBRID: 6,
		defaultCoreCipherList: ciphers, defaultCipherList: ciphers };
	const plain = (data, encoding) => Uint8Array.from(bytesOf(data, encoding));
	const none = new Uint8Array(0);

	// ---- DER and PEM ----

	const hex = (text) => Buffer.from(text, 'hex');
	const oids = { rsa: hex('2a864886f70d010101'), 'rsa-pss': hex('2a864886f70d01010a'), ec: hex('2a8648ce3d0201'), x25519: hex('2b656e'), ed25519: hex('2b6570') };
	const curves = { prime256v1: ['P-256', 0, hex('2a8648ce3d030107'), 32], secp384r1: ['P-384', 1, hex('2b81040022'), 48], secp521r1: ['P-521', 2, hex('2b81040023'), 66] };
	const curveOf = (name) => Object.keys(curves).find((key) => key === name || curves[key][0] === name) ?? fail('Invalid EC curve name', 'ERR_CRYPTO_INVALID_CURVE', TypeError);
	const der = (tag, ...parts) => {
		const content = Buffer.concat(parts), { length } = content;
		const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
		return Buffer.concat([Buffer.from(head), content]);
	};
	const number = (value) => der(2, Buffer.from([value]));
	// The elements of a DER text, in order: [tag, content].
	function readAll(bytes) {
		const items = [];
		for (let at = 0; at < bytes.length;) {
			const tag = bytes[at++];
			let length = bytes[at++];
			if (length >= 0x80) {
				const count = length & 0x7f;
				length = bytes.subarray(at, at + count).reduce((all, byte) => all * 256 + byte, 0);
				at += count;
			}
			if (!(at + length <= bytes.length))
				fail('The key is not DER', 'ERR_OSSL_ASN1_WRONG_TAG');
			items.push([tag, bytes.subarray(at, at + length), bytes.subarray(at - 2, at + length)]);
			at += length;
		}
		return items;
	}
	const inside = (bytes) => {
		const [[tag, content] = []] = readAll(bytes);
		return tag === 0x30 ? readAll(content) : fail('The key is not DER', 'ERR_OSSL_ASN1_WRONG_TAG');
	};
	const toPem = (label, bytes) => `-----BEGIN ${label}-----\n${bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;
	const labels = { 'PUBLIC KEY': 'spki', 'PRIVATE KEY': 'pkcs8', 'RSA PRIVATE KEY': 'pkcs1', 'RSA PUBLIC KEY': 'pkcs1', 'EC PRIVATE KEY': 'sec1', CERTIFICATE: 'certificate' };
	function fromPem(text) {
		const found = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/.exec(text.replace(/-----BEGIN EC PARAMETERS-----[\s\S]*?-----END EC PARAMETERS-----/, ''));
		const kind = found && labels[found[1]];
		if (!kind)
			fail(/ENCRYPTED/.test(text) ? 'A private key that is encrypted cannot be read here' : 'error:1E08010C:DECODER routines::unsupported', 'ERR_OSSL_UNSUPPORTED');
		if (/ENCRYPTED/.test(found[2]))
			fail('A private key that is encrypted cannot be read here', 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM');
		return { kind, isPublic: /PUBLIC/.test(found[1]), bytes: Buffer.from(found[2], 'base64') };
	}
	// The public key of a certificate. It follows version, serial number, algorithm, issuer, validity and subject.
	function spkiOf(certificate) {
		const [[, body]] = inside(certificate), parts = readAll(body);
		return parts[parts[0][0] === 0xa0 ? 6 : 5] ? der(0x30, parts[parts[0][0] === 0xa0 ? 6 : 5][1]) : fail('It is no certificate', 'ERR_OSSL_ASN1_WRONG_TAG');
	}

	// ---- Records ----

	function algorithmOf(identifier) {
		const [[, oid], [, parameter] = []] = readAll(identifier), kind = Object.keys(oids).find((name) => oids[name].equals(oid));
		const curve = kind === 'ec' ? Object.keys(curves).find((name) => curves[name][2].equals(parameter ?? none)) : undefined;
		if (!kind || (kind === 'ec' && !curve))
			fail('The key is of an algorithm or a curve that is not here', 'ERR_OSSL_UNSUPPORTED');
		return { kind, curve };
	}
	const algorithms = { rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, 'rsa-pss': { name: 'RSA-PSS', hash: 'SHA-256' }, ed25519: { name: 'Ed25519' }, x25519: { name: 'X25519' } };
	const named = ({ kind, curve }) => kind === 'ec' ? { __proto__: null, name: 'ECDSA', namedCurve: curves[curve][0] } : { __proto__: null, ...algorithms[kind] };
	function toRecord(format, data, about, isPrivate) {
		const usages = about.kind === 'x25519' ? isPrivate ? ['deriveBits'] : [] : [isPrivate ? 'sign' : 'verify'];
		try {
			return { ...importKeyFrom(format, data, named(about), { __proto__: null, extractable: true, usages }), kind: about.kind, curve: about.curve };
		} catch (error) {
			return fail(error.message, 'ERR_OSSL_UNSUPPORTED');
		}
	}
	function ofDer(kind, bytes, isPublic) {
		if (kind === 'certificate')
			return ofDer('spki', spkiOf(bytes), true);
		if (kind === 'pkcs1')
			return isPublic ? ofDer('spki', der(0x30, der(0x30, der(6, oids.rsa), der(5)), der(3, Buffer.from([0]), bytes)), true)
				: ofDer('pkcs8', der(0x30, number(0), der(0x30, der(6, oids.rsa), der(5)), der(4, bytes)), false);
		if (kind === 'sec1') {
			const [, parameters] = inside(bytes).find(([tag]) => tag === 0xa0) ?? fail('The key does not say its curve', 'ERR_OSSL_UNSUPPORTED');
			return ofDer('pkcs8', der(0x30, number(0), der(0x30, der(6, oids.ec), parameters), der(4, bytes)), false);
		}
		const parts = inside(bytes), about = algorithmOf(parts[kind === 'pkcs8' ? 1 : 0][1]);
		let content = bytes;
		if (about.kind === 'rsa-pss') {
			// Its parameters name the hash that it is for. They are ignored.
			const rest = parts.slice(kind === 'pkcs8' ? 2 : 1).map(([tag, inner]) => der(tag, inner)), identifier = der(0x30, der(6, oids.rsa), der(5));
			content = kind === 'pkcs8' ? der(0x30, number(0), identifier, ...rest) : der(0x30, identifier, ...rest);
		}
		return toRecord(kind, Uint8Array.from(content), about, kind === 'pkcs8');
	}
	function ofJwk(jwk) {
		const kinds = { RSA: 'rsa', EC: 'ec', OKP: String(jwk.crv).toLowerCase() }, kind = kinds[jwk.kty];
		if (!kind || !(kind === 'ec' || algorithms[kind]))
			fail('The JWK is of a kind that is not here', 'ERR_CRYPTO_INVALID_JWK', TypeError);
		const { alg, use, key_ops, ext, ...rest } = jwk;
		return toRecord('jwk', { __proto__: null, ...rest }, { kind, curve: kind === 'ec' ? curveOf(jwk.crv) : undefined }, jwk.d !== undefined);
	}
	const publicOf = (record) => record.type === 'public' ? record
		: { ...record, type: 'public', d: undefined, rsa: record.rsa?.slice(0, 2), usages: record.kind === 'x25519' ? [] : ['verify'] };

	// ---- Keys ----

	class KeyObject {
		#held;
		constructor(type, held) {
			this.#held = held;
			Object.defineProperty(this, 'type', { value: type, enumerable: false });
		}
		static from(key) {
			if (!isCryptoKey(key))
				fail('The "key" argument must be an instance of CryptoKey.', 'ERR_INVALID_ARG_TYPE', TypeError);
			const record = keyRecord(key), { name, namedCurve } = record.algorithm;
			if (record.type === 'secret')
				return new KeyObject('secret', Uint8Array.from(record.secret));
			const curve = namedCurve && curveOf(namedCurve), kind = namedCurve ? 'ec' : record.rsa ? 'rsa' : name.toLowerCase();
			return new KeyObject(record.type, { ...record, extractable: true, kind, curve });
		}
		static recordOf(key) { return key.#held; }
		get symmetricKeySize() { return this.type === 'secret' ? this.#held.length : undefined; }
		get asymmetricKeyType() { return this.type === 'secret' ? undefined : this.#held.kind; }
		get asymmetricKeyDetails() {
			if (this.type === 'secret')
				return undefined;
			const { kind, curve, rsa: parts, algorithm } = this.#held;
			return parts ? { modulusLength: algorithm.modulusLength, publicExponent: BigInt('0x' + Buffer.from(parts[1]).toString('hex')) } : kind === 'ec' ? { namedCurve: curve } : {};
		}
		export(options = {}) {
			const { format, type, cipher } = options, held = this.#held;
			if (this.type === 'secret')
				return format === 'jwk' ? { kty: 'oct', k: Buffer.from(held).toString('base64url') } : Buffer.from(held);
			if (cipher)
				fail('A private key cannot be encrypted here', 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM');
			const isPublic = this.type === 'public';
			if (format === 'jwk') {
				const { alg, key_ops, ext, ...jwk } = exportKeyTo('jwk', held);
				return jwk;
			}
			const kind = type ?? (isPublic ? 'spki' : 'pkcs8'), whole = Buffer.from(exportKeyTo(isPublic ? 'spki' : 'pkcs8', held));
			const [bytes, label] = kind === 'spki' || kind === 'pkcs8' ? [whole, isPublic ? 'PUBLIC KEY' : 'PRIVATE KEY']
				: kind === 'pkcs1' && held.rsa ? [isPublic ? inside(whole)[1][1].subarray(1) : inside(whole)[2][1], isPublic ? 'RSA PUBLIC KEY' : 'RSA PRIVATE KEY']
				: kind === 'sec1' && held.kind === 'ec' && !isPublic ? [der(0x30, number(1), der(4, Buffer.from(held.d)), der(0xa0, der(6, curves[held.curve][2])), der(0xa1, der(3, Buffer.from([0]), Buffer.from(held.point)))), 'EC PRIVATE KEY']
				: fail('The property \'options.type\' is invalid. Received ' + binding.inspect(type), 'ERR_INVALID_ARG_VALUE', TypeError);
			return format === 'der' ? Buffer.from(bytes) : format === undefined || format === 'pem' ? toPem(label, bytes)
				: fail('The property \'options.format\' is invalid. Received ' + binding.inspect(format), 'ERR_INVALID_ARG_VALUE', TypeError);
		}
		equals(other) { return this.type === other.type && Buffer.compare(this.export({ format: 'der' }), other.export({ format: 'der' })) === 0; }
		toCryptoKey() {
			return newCryptoKey({ ...this.#held });
		}
	}
	const { recordOf } = KeyObject;
	delete KeyObject.recordOf;
	const createSecretKey = (key, encoding) => new KeyObject('secret', plain(key, encoding));

	// The record of a key that a program gives: text, bytes, a JSON Web Key, a KeyObject, or an object with one of
	// them.
	function readKey(given) {
		if (given instanceof KeyObject)
			return recordOf(given);
		if (isCryptoKey(given))
			return recordOf(KeyObject.from(given));
		const isPlain = typeof given === 'string' || ArrayBuffer.isView(given) || given instanceof ArrayBuffer;
		const { key, format, type } = isPlain ? { key: given } : given ?? {};
		if (!isPlain && (key instanceof KeyObject || isCryptoKey(key)))
			return readKey(key);
		if (key === undefined || key === null)
			fail('The "key" argument must be of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey.', 'ERR_INVALID_ARG_TYPE', TypeError);
		if (format === 'jwk')
			return ofJwk(key);
		if (format === 'der')
			return ofDer(type, Buffer.from(bytesOf(key)), type === 'pkcs1' && inside(Buffer.from(bytesOf(key))).length === 2);
		const { kind, isPublic, bytes } = fromPem(typeof key === 'string' ? key : Buffer.from(bytesOf(key)).toString());
		return ofDer(kind, bytes, isPublic);
	}
	function privateKey(given) {
		const record = readKey(given);
		return record.type === 'private' ? record : fail('Invalid key object type ' + record.type + ', expected private.', 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', TypeError);
	}
	const publicKey = (given) => {
		const record = readKey(given);
		return record instanceof Uint8Array ? fail('Invalid key object type secret, expected public.', 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', TypeError) : publicOf(record);
	};
	const createPrivateKey = (given) => new KeyObject('private', privateKey(given));
	const createPublicKey = (given) => new KeyObject('public', publicKey(given));

	// ---- Pairs ----

	const kindsOfPairs = { rsa: { name: 'RSASSA-PKCS1-v1_5' }, 'rsa-pss': { name: 'RSA-PSS' }, ec: { name: 'ECDSA' }, ed25519: { name: 'Ed25519' }, x25519: { name: 'X25519' } };
	function generateKeyPairSync(kind, options = {}) {
		if (!Object.hasOwn(kindsOfPairs, kind))
			fail(`The argument 'type' must be a supported key type. Received ${binding.inspect(kind)}`, 'ERR_INVALID_ARG_VALUE', TypeError);
		const algorithm = { __proto__: null, ...kindsOfPairs[kind] }, curve = kind === 'ec' ? curveOf(options.namedCurve) : undefined;
		if (curve)
			algorithm.namedCurve = curves[curve][0];
		if (kind.startsWith('rsa')) {
			const exponent = (options.publicExponent ?? 65537).toString(16);
			Object.assign(algorithm, { modulusLength: options.modulusLength, hash: 'SHA-256', publicExponent: Uint8Array.from(hex(exponent.padStart(exponent.length + exponent.length % 2, '0'))) });
		}
		const pair = newPair(algorithm).map((record, i) => {
			const type = i === 0 ? 'public' : 'private', usages = kind === 'x25519' ? i === 0 ? [] : ['deriveBits'] : [i === 0 ? 'verify' : 'sign'];
			return new KeyObject(type, { ...record, type, usages, extractable: true, kind, curve });
		});
		const shown = (key, encoding) => encoding ? key.export(encoding) : key;
		return { publicKey: shown(pair[0], options.publicKeyEncoding), privateKey: shown(pair[1], options.privateKeyEncoding) };
	}
	const generateKeyPair = (kind, options, done) => {
		if (typeof options === 'function')
			[options, done] = [undefined, options];
		later((error, pair) => error ? done(error) : done(null, pair.publicKey, pair.privateKey), () => generateKeyPairSync(kind, options));
	};
	generateKeyPair[Symbol.for('nodejs.util.promisify.custom')] = async (kind, options) => generateKeyPairSync(kind, options);

	// ---- Signatures ----

	const SIGN = 0, SIGN_PSS = 1, VERIFY = 2, VERIFY_PSS = 3, ENCRYPT = 4, DECRYPT = 5, ENCRYPT_PKCS1 = 6, DECRYPT_PKCS1 = 7;
	const optionsOf = (given) => given instanceof KeyObject || isCryptoKey(given) || typeof given !== 'object' || given === null || ArrayBuffer.isView(given) ? {} : given;
	const isPss = ({ kind }, { padding }) => padding === constants.RSA_PKCS1_PSS_PADDING || (kind === 'rsa-pss' && padding === undefined);
	// Converts an ECDSA signature between DER and two numbers of the same length.
	const integer = (bytes) => {
		let at = 0;
		while (at < bytes.length - 1 && bytes[at] === 0)
			at++;
		return der(2, bytes[at] >= 0x80 ? Buffer.from([0]) : none, Buffer.from(bytes.subarray(at)));
	};
	const toDer = (pair) => der(0x30, integer(pair.subarray(0, pair.length / 2)), integer(pair.subarray(pair.length / 2)));
	function fromDer(bytes, size) {
		const pair = new Uint8Array(2 * size);
		let numbers;
		try {
			numbers = inside(bytes);
		} catch {
			return undefined;
		}
		for (let i = 0; i < 2; i++) {
			const [tag, content] = numbers[i] ?? [], from = content?.findIndex((byte) => byte !== 0);
			if (tag !== 2 || content.length - from > size)
				return undefined;
			pair.set(content.subarray(from), (i + 1) * size - (content.length - from));
		}
		return pair;
	}
	const saltOf = (length, record, hash) => length === -1 ? hashBytes[hash] : length === undefined || length === -2 ? record.rsa[0].length - hashBytes[hash] - 2 : length;

	const withoutHash = (algorithm, data) => algorithm === null || algorithm === undefined ? data : fail('Unsupported crypto operation', 'ERR_CRYPTO_UNSUPPORTED_OPERATION');
	function signOne(algorithm, data, key) {
		const record = privateKey(key), options = optionsOf(key), { kind } = record;
		if (kind === 'ed25519')
			return Buffer.from(edSign(record.d, withoutHash(algorithm, data)));
		if (kind === 'x25519')
			fail('operation not supported for this keytype', 'ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE');
		const hash = hashNumber(algorithm ?? 'sha256');
		if (kind === 'ec') {
			const pair = ecSign(curves[record.curve][1], hash, record.d, data);
			return options.dsaEncoding === 'ieee-p1363' ? Buffer.from(pair) : toDer(pair);
		}
		const pss = isPss(record, options), made = rsa(pss ? SIGN_PSS : SIGN, hash, record.rsa, data, none, pss ? saltOf(options.saltLength, record, hash) : 0);
		return made ? Buffer.from(made) : fail('The key is too short for the hash', 'ERR_OSSL_RSA_DIGEST_TOO_BIG_FOR_RSA_KEY');
	}
	function verifyOne(algorithm, data, key, signature) {
		const record = publicKey(key), options = optionsOf(key), { kind } = record;
		if (kind === 'ed25519')
			return signature.length === 64 && edVerify(record.point, withoutHash(algorithm, data), signature);
		const hash = hashNumber(algorithm ?? 'sha256');
		if (kind === 'ec') {
			const [, curve, , size] = curves[record.curve], pair = options.dsaEncoding === 'ieee-p1363' ? signature : fromDer(signature, size);
			return pair?.length === 2 * size && ecVerify(curve, hash, record.point, data, pair);
		}
		const pss = isPss(record, options), salt = options.saltLength === undefined || options.saltLength === -2 ? -1 : saltOf(options.saltLength, record, hash);
		return rsa(pss ? VERIFY_PSS : VERIFY, hash, record.rsa, data, signature, pss ? salt : 0);
	}
	const sign = (algorithm, data, key, done) => later(done, () => signOne(algorithm, plain(data), key));
	const verify = (algorithm, data, key, signature, done) => later(done, () => verifyOne(algorithm, plain(data), key, plain(signature)));

	class Signer extends require('stream').Writable {
		#algorithm;
		#parts = [];
		constructor(algorithm, options) {
			super(options);
			hashNumber(algorithm);
			this.#algorithm = algorithm;
		}
		update(data, encoding) {
			this.#parts.push(plain(data, encoding));
			return this;
		}
		_write(chunk, encoding, done) {
			this.update(chunk);
			done();
		}
		_take() { return [this.#algorithm, Uint8Array.from(Buffer.concat(this.#parts.splice(0)))]; }
	}
	class Sign extends Signer {
		sign(key, encoding) { return told(signOne(...this._take(), key), encoding); }
	}
	class Verify extends Signer {
		verify(key, signature, encoding) { return verifyOne(...this._take(), key, plain(signature, encoding)); }
	}

	// ---- Encryption with RSA, and shared secrets ----

	function crypt(given, data, encrypts) {
		const record = encrypts ? publicKey(given) : privateKey(given), { padding = constants.RSA_PKCS1_OAEP_PADDING, oaepHash = 'sha1', oaepLabel } = optionsOf(given);
		const oaep = padding === constants.RSA_PKCS1_OAEP_PADDING;
		if (!record.rsa || (!oaep && padding !== constants.RSA_PKCS1_PADDING))
			fail('The key or the padding is not one that can encrypt here', 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM');
		const made = rsa(encrypts ? oaep ? ENCRYPT : ENCRYPT_PKCS1 : oaep ? DECRYPT : DECRYPT_PKCS1, hashNumber(oaep ? oaepHash : 'sha1'), record.rsa, plain(data), oaepLabel ? plain(oaepLabel) : none, 0);
		return made ? Buffer.from(made) : fail(encrypts ? 'data too large for key size' : 'oaep decoding error', encrypts ? 'ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_KEY_SIZE' : 'ERR_OSSL_RSA_OAEP_DECODING_ERROR');
	}
	function diffieHellman(options) {
		const own = recordOf(options.privateKey), other = recordOf(options.publicKey);
		if (own.kind !== other.kind || own.curve !== other.curve)
			fail('Incompatible key types for Diffie-Hellman: ' + own.kind + ' and ' + other.kind, 'ERR_CRYPTO_INCOMPATIBLE_KEY');
		const shared = own.kind === 'ec' ? ecDerive(curves[own.curve][1], own.d, other.point) : own.kind === 'x25519' ? xDerive(own.d, other.point) : null;
		return shared ? Buffer.from(shared) : fail('diffieHellman failed', 'ERR_CRYPTO_OPERATION_FAILED');
	}
	class ECDH {
		#curve;
		#d;
		#point;
		constructor(curve) { this.#curve = curves[curveOf(curve)]; }
		generateKeys(encoding, format) {
			const [, { point, d }] = newPair({ __proto__: null, name: 'ECDH', namedCurve: this.#curve[0] });
			this.#d = d;
			this.#point = point;
			return this.getPublicKey(encoding, format);
		}
		computeSecret(other, inputEncoding, outputEncoding) {
			const point = ecPoint(this.#curve[1], plain(other, inputEncoding)) ?? fail('Public key is not valid for specified curve', 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY');
			return told(ecDerive(this.#curve[1], this.#d ?? fail('Failed to get ECDH private key'), point), outputEncoding);
		}
		getPrivateKey(encoding) { return told(this.#d ?? fail('Failed to get ECDH private key'), encoding); }
		getPublicKey(encoding, format = 'uncompressed') {
			const point = Buffer.from(this.#point ?? fail('Failed to get ECDH public key')), size = this.#curve[3];
			return told(format === 'compressed' ? Buffer.concat([Buffer.from([2 + (point[2 * size] & 1)]), point.subarray(1, 1 + size)]) : point, encoding);
		}
		setPrivateKey(key, encoding) {
			const given = plain(key, encoding), d = new Uint8Array(this.#curve[3]);
			d.set(given, Math.max(0, d.length - given.length));
			this.#point = ecPublic(this.#curve[1], d) ?? fail('Private key is not valid for specified curve.', 'ERR_CRYPTO_INVALID_KEYPAIR');
			this.#d = d;
		}
	}

	return { constants, KeyObject, createSecretKey, createPrivateKey, createPublicKey, generateKeyPairSync, generateKeyPair, sign, verify, Sign, Verify, createSign: (name, options) => new Sign(name, options),
		createVerify: (name, options) => new Verify(name, options), publicEncrypt: (key, data) => crypt(key, data, true), privateDecrypt: (key, data) => crypt(key, data, false), diffieHellman, ECDH,
		createECDH: (curve) => new ECDH(curve), getCurves: () => Object.keys(curves) };
};
