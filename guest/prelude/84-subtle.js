// SPDX-License-Identifier: Apache-2.0
// crypto.subtle of Web Crypto. The call itself does the work, in C (guest/crypto.c), which can be stopped like any
// other work of the program. The program receives a promise of the result.

// ---- The parameters of algorithms: [member, kind, whether it is required] ----

const ivParams = [['iv', 'bytes', true]],
	hashParams = [['hash', 'hash', true]],
	lengthParams = [['length', 'short', true]];
const gcmParams = [
	['iv', 'bytes', true],
	['additionalData', 'bytes', false],
	['tagLength', 'octet', false],
];
const ctrParams = [
	['counter', 'bytes', true],
	['length', 'octet', true],
];
const hmacParams = [
	['hash', 'hash', true],
	['length', 'long', false],
];
const rsaParams = [
	['hash', 'hash', true],
	['modulusLength', 'long', true],
	['publicExponent', 'number', true],
];
const pssParams = [['saltLength', 'long', true]],
	oaepParams = [['label', 'bytes', false]];
const curveParams = [['namedCurve', 'text', true]],
	publicParams = [['public', 'key', true]];
const hkdfParams = [
	['hash', 'hash', true],
	['info', 'bytes', true],
	['salt', 'bytes', true],
];
const pbkdf2Params = [
	['hash', 'hash', true],
	['iterations', 'long', true],
	['salt', 'bytes', true],
];
const noParams = [];

// Operation -> name -> the parameters.
const operations = {
	__proto__: null,
	digest: { __proto__: null, 'SHA-1': noParams, 'SHA-256': noParams, 'SHA-384': noParams, 'SHA-512': noParams },
	encrypt: { __proto__: null, 'RSA-OAEP': oaepParams, 'AES-CTR': ctrParams, 'AES-CBC': ivParams, 'AES-GCM': gcmParams },
	wrap: { __proto__: null, 'AES-KW': noParams },
	sign: {
		__proto__: null,
		'RSASSA-PKCS1-v1_5': noParams,
		'RSA-PSS': pssParams,
		ECDSA: hashParams,
		Ed25519: noParams,
		HMAC: noParams,
	},
	derive: { __proto__: null, ECDH: publicParams, X25519: publicParams, HKDF: hkdfParams, PBKDF2: pbkdf2Params },
	generate: {
		__proto__: null,
		'RSASSA-PKCS1-v1_5': rsaParams,
		'RSA-PSS': rsaParams,
		'RSA-OAEP': rsaParams,
		ECDSA: curveParams,
		ECDH: curveParams,
		Ed25519: noParams,
		X25519: noParams,
		'AES-CTR': lengthParams,
		'AES-CBC': lengthParams,
		'AES-GCM': lengthParams,
		'AES-KW': lengthParams,
		HMAC: hmacParams,
	},
	import: {
		__proto__: null,
		'RSASSA-PKCS1-v1_5': hashParams,
		'RSA-PSS': hashParams,
		'RSA-OAEP': hashParams,
		ECDSA: curveParams,
		ECDH: curveParams,
		Ed25519: noParams,
		X25519: noParams,
		'AES-CTR': noParams,
		'AES-CBC': noParams,
		'AES-GCM': noParams,
		'AES-KW': noParams,
		HMAC: hmacParams,
		HKDF: noParams,
		PBKDF2: noParams,
	},
	length: {
		__proto__: null,
		'AES-CTR': lengthParams,
		'AES-CBC': lengthParams,
		'AES-GCM': lengthParams,
		'AES-KW': lengthParams,
		HMAC: hmacParams,
		HKDF: noParams,
		PBKDF2: noParams,
	},
};

// ---- Arguments ----

const integerMax = { __proto__: null, octet: 0xff, short: 0xffff, long: 0xffffffff };

function toCopiedBytes(value, what) {
	const bytes = isObject(value) ? bytesOf(value) : undefined;
	if (!bytes) throw new TypeError(what + ' is neither an ArrayBuffer nor a view of one');
	return copyOfBytes(bytes);
}

function toParam(value, kind, what) {
	switch (kind) {
		case 'bytes':
			return toCopiedBytes(value, what);
		case 'number':
			if (classOf(value) !== 'Uint8Array') throw new TypeError(what + ' is not a Uint8Array');
			return copyOfBytes(value);
		case 'hash':
			return normalizeAlgorithm(value, 'digest').name;
		case 'key':
			return toKey(value, what);
		case 'text':
			return toText(value);
	}
	const number = toEnforcedInteger(value, what);
	if (number > integerMax[kind]) throw new TypeError(what + ' is larger than ' + integerMax[kind]);
	return number;
}

// The algorithm with the name in the spelling of the standard, and its parameters. All are copied, so that the program
// cannot change them later.
function normalizeAlgorithm(value, operation) {
	const given = isObject(value) ? value : { __proto__: null, name: toText(value) };
	const { name: givenName } = given;
	if (givenName === undefined) throw new TypeError('The algorithm has no name');
	const wanted = upperCase(toText(givenName)),
		known = operations[operation],
		names = objectKeys(known);
	for (let i = 0; i < names.length; i++) {
		if (upperCase(names[i]) !== wanted) continue;
		const result = { __proto__: null, name: names[i] },
			members = known[names[i]];
		for (let j = 0; j < members.length; j++) {
			const member = members[j][0],
				what = 'The member ' + member + ' of the algorithm',
				memberValue = given[member];
			if (memberValue !== undefined) result[member] = toParam(memberValue, members[j][1], what);
			else if (members[j][2]) throw new TypeError(what + ' is missing');
		}
		return result;
	}
	throw domError(
		'NotSupportedError',
		'The algorithm ' + slice(toText(givenName), 0, 64) + ' is not supported for this',
	);
}

function isOperation(value, operation) {
	const given = isObject(value) ? value.name : value;
	const wanted = upperCase(toText(given)),
		names = objectKeys(operations[operation]);
	for (let i = 0; i < names.length; i++) {
		if (upperCase(names[i]) === wanted) return true;
	}
	return false;
}

function toKey(value, what) {
	if (!isCryptoKey(value)) throw new TypeError(what + ' is not a CryptoKey');
	return keyRecord(value);
}

function toUsages(value) {
	const list = toSequence(value, 'The list of usages'),
		usages = [];
	for (let i = 0; i < list.length; i++) {
		const usage = toText(list[i]);
		if (!listHas(keyUsages, usage)) throw new TypeError('A key cannot be used for "' + slice(usage, 0, 64) + '"');
		push(usages, usage);
	}
	return usages;
}

function toKeyFormat(value) {
	const format = toText(value);
	if (!listHas(['raw', 'spki', 'pkcs8', 'jwk'], format))
		throw new TypeError('The format of the key is not raw, spki, pkcs8 or jwk, but "' + slice(format, 0, 64) + '"');
	return format;
}

const jwkTexts = ['alg', 'crv', 'd', 'dp', 'dq', 'e', 'k', 'kty', 'n', 'p', 'q', 'qi', 'use', 'x', 'y'];

// A copy of a JSON Web Key.
function toJwk(value) {
	const given = toDictionary(value, 'The key data'),
		jwk = { __proto__: null };
	for (let i = 0; i < jwkTexts.length; i++) {
		const member = given[jwkTexts[i]];
		if (member !== undefined) jwk[jwkTexts[i]] = toText(member);
	}
	if (given.ext !== undefined) jwk.ext = !!given.ext;
	if (given.oth !== undefined) jwk.oth = toSequence(given.oth, 'The member oth of the key');
	if (given.key_ops !== undefined) {
		const list = toSequence(given.key_ops, 'The member key_ops of the key');
		jwk.key_ops = [];
		for (let i = 0; i < list.length; i++) push(jwk.key_ops, toText(list[i]));
	}
	return jwk;
}

function toKeyData(format, value) {
	if (format !== 'jwk') return toCopiedBytes(value, 'The key data');
	if (!isObject(value) || bytesOf(value)) throw new TypeError('The key data is not an object, as a JSON Web Key is');
	return toJwk(value);
}

function needKeyFor(key, algorithm, usage) {
	if (key.algorithm.name !== algorithm.name)
		throw domError('InvalidAccessError', 'The key is for ' + key.algorithm.name + ', not for ' + algorithm.name);
	if (!listHas(key.usages, usage)) throw domError('InvalidAccessError', 'The key is not to be used for ' + usage);
}

const failedOperation = why => domError('OperationError', why);

function worked(result, why) {
	if (result === null) throw failedOperation(why);
	return result;
}

// ---- Encrypting ----

const AES_CBC = 0,
	AES_CTR = 1,
	AES_GCM = 2,
	AES_KW = 3;
const noBytes = new Uint8Array(0);

function runAes(algorithm, key, data, encrypts) {
	const { name } = algorithm,
		damaged = 'The data cannot be decrypted: it is damaged, or the key is another one';
	if (name === 'AES-KW')
		return worked(
			aes(AES_KW, encrypts, key, noBytes, data, noBytes, 0),
			encrypts ? 'A key that AES-KW wraps has a multiple of 8 bytes, 16 at least' : damaged,
		);
	if (name === 'AES-CBC') {
		if (typedArrayLength(algorithm.iv) !== 16) throw failedOperation('The member iv of the algorithm has not 16 bytes');
		return worked(aes(AES_CBC, encrypts, key, algorithm.iv, data, noBytes, 0), damaged);
	}
	if (name === 'AES-CTR') {
		const { counter, length } = algorithm;
		if (typedArrayLength(counter) !== 16) throw failedOperation('The member counter of the algorithm has not 16 bytes');
		if (length < 1 || length > 128) throw failedOperation('The member length of the algorithm is not 1 to 128');
		return worked(
			aes(AES_CTR, encrypts, key, counter, data, noBytes, length),
			'There is more data than the counter can count',
		);
	}
	const { iv, additionalData = noBytes, tagLength = 128 } = algorithm;
	if (!listHas([32, 64, 96, 104, 112, 120, 128], tagLength))
		throw failedOperation('The member tagLength of the algorithm is not 32, 64, 96, 104, 112, 120 or 128');
	return worked(
		aes(AES_GCM, encrypts, key, iv, data, additionalData, tagLength / 8),
		typedArrayLength(iv) === 0 ? 'The member iv of the algorithm is empty' : damaged,
	);
}

const RSA_SIGN = 0,
	RSA_SIGN_PSS = 1,
	RSA_VERIFY = 2,
	RSA_VERIFY_PSS = 3,
	RSA_ENCRYPT = 4,
	RSA_DECRYPT = 5;

function needType(key, type) {
	if (key.type !== type) throw domError('InvalidAccessError', 'The key is not a ' + type + ' key');
}

function crypt(algorithm, key, data, encrypts) {
	if (algorithm.name !== 'RSA-OAEP') return runAes(algorithm, key.secret, data, encrypts);
	needType(key, encrypts ? 'public' : 'private');
	const { label = noBytes } = algorithm;
	return worked(
		rsa(encrypts ? RSA_ENCRYPT : RSA_DECRYPT, hashNumbers[key.algorithm.hash], key.rsa, data, label, 0),
		encrypts
			? 'The data is too long for the key'
			: 'The data cannot be decrypted: it is damaged, or the key is another one',
	);
}

// ---- Signing ----

function isHmacOf(key, data, signature) {
	const own = hmac(hashNumbers[key.algorithm.hash], key.secret, data);
	if (typedArrayLength(own) !== typedArrayLength(signature)) return false;
	let differs = 0;
	for (let i = 0; i < typedArrayLength(own); i++) differs |= own[i] ^ signature[i];
	return differs === 0;
}

function sign(algorithm, key, data) {
	const { name } = algorithm;
	if (name === 'HMAC') return hmac(hashNumbers[key.algorithm.hash], key.secret, data);
	needType(key, 'private');
	if (name === 'Ed25519') return worked(edSign(key.d, data), 'The key cannot sign');
	if (name === 'ECDSA')
		return worked(
			ecSign(curveNumbers[key.algorithm.namedCurve], hashNumbers[algorithm.hash], key.d, data),
			'The key cannot sign',
		);
	return worked(
		rsa(
			name === 'RSA-PSS' ? RSA_SIGN_PSS : RSA_SIGN,
			hashNumbers[key.algorithm.hash],
			key.rsa,
			data,
			noBytes,
			min(algorithm.saltLength ?? 0, 0x7fffffff),
		),
		'The key is too short for the hash' + (name === 'RSA-PSS' ? ' and the salt' : ''),
	);
}

function verify(algorithm, key, data, signature) {
	const { name } = algorithm;
	if (name === 'HMAC') return isHmacOf(key, data, signature);
	needType(key, 'public');
	if (name === 'Ed25519') return edVerify(key.point, data, signature);
	if (name === 'ECDSA')
		return ecVerify(curveNumbers[key.algorithm.namedCurve], hashNumbers[algorithm.hash], key.point, data, signature);
	return rsa(
		name === 'RSA-PSS' ? RSA_VERIFY_PSS : RSA_VERIFY,
		hashNumbers[key.algorithm.hash],
		key.rsa,
		data,
		signature,
		min(algorithm.saltLength ?? 0, 0x7fffffff),
	);
}

// ---- Making keys ----

function randomSecret(count) {
	const bytes = new Uint8Array(count);
	if (count > POOL_BYTES / 4) random(bytes);
	else typedArraySet(bytes, takeRandom(count));
	return bytes;
}

// How many bits a derived or generated key has. null: the caller decides.
function keyLength(algorithm) {
	const { name, length } = algorithm;
	if (name === 'HKDF' || name === 'PBKDF2') return null;
	if (name === 'HMAC') {
		if (length === 0) throw failedOperation('A key for HMAC has one bit at least');
		return length === undefined ? hashBlockBits[algorithm.hash] : length;
	}
	if (length !== 128 && length !== 192 && length !== 256)
		throw failedOperation('A key for AES has 128, 192 or 256 bits, not ' + length);
	return length;
}

function newSecretKey(algorithm, extractable, usages) {
	const { name } = algorithm,
		length = keyLength(algorithm);
	const secret = randomSecret(((length + 7) / 8) | 0);
	if (length % 8 !== 0) secret[typedArrayLength(secret) - 1] &= 0xff << (8 - (length % 8));
	return {
		__proto__: null,
		type: 'secret',
		extractable,
		usages: usagesIn(usages),
		secret,
		algorithm:
			name === 'HMAC' ? { __proto__: null, name, hash: algorithm.hash, length } : { __proto__: null, name, length },
	};
}

function newRsa({ name, modulusLength, publicExponent, hash }) {
	const significant = withoutLeadingZeros(publicExponent);
	let exponent = 0;
	for (let i = 0; i < typedArrayLength(significant) && exponent <= 0x7fffffff; i++)
		exponent = exponent * 256 + significant[i];
	if (exponent > 0x7fffffff || exponent < 3 || exponent % 2 === 0)
		throw failedOperation('The member publicExponent of the algorithm is not an odd number from 3 to 2147483647');
	if (modulusLength > 8192) throw failedOperation('The member modulusLength of the algorithm is larger than 8192');
	const parts = worked(
		makeRsa(modulusLength, exponent),
		'There is no key of ' + modulusLength + ' bits; it takes 512 at least, and an even number',
	);
	const algorithm = { __proto__: null, name, modulusLength, publicExponent, hash };
	return [
		{ __proto__: null, algorithm, rsa: [parts[0], parts[1]] },
		{ __proto__: null, algorithm, rsa: parts },
	];
}

function newPair(algorithm) {
	const { name, namedCurve } = algorithm;
	if (algorithm.publicExponent !== undefined) return newRsa(algorithm);
	if (name === 'Ed25519' || name === 'X25519') {
		const d = randomSecret(32),
			point = okpPublic(name, d),
			shown = { __proto__: null, name };
		return [
			{ __proto__: null, algorithm: shown, point },
			{ __proto__: null, algorithm: shown, point, d },
		];
	}
	if (curveNumbers[namedCurve] === undefined)
		throw domError('NotSupportedError', 'The curve is not supported: ' + slice(namedCurve, 0, 64));
	const pair = worked(makeEc(curveNumbers[namedCurve]), 'The key could not be made'),
		shown = { __proto__: null, name, namedCurve };
	return [
		{ __proto__: null, algorithm: shown, point: pair[1] },
		{ __proto__: null, algorithm: shown, point: pair[1], d: pair[0] },
	];
}

function generate(algorithm, extractable, usages) {
	const { name } = algorithm,
		allowed = allowedUsages[name];
	checkUsages(usages, allowed.length === 1 ? allowed[0] : usagesIn(keyUsages, allowed[0], allowed[1]), name);
	const forPrivate = allowed.length === 1 ? usages : usagesIn(usages, allowed[1]);
	const noUse = () => domError('SyntaxError', 'A key has to be for something: the usages are empty');
	if (allowed.length === 1) {
		const key = newSecretKey(algorithm, extractable, usages);
		if (usages.length === 0) throw noUse();
		return newCryptoKey(key);
	}
	if (forPrivate.length === 0) throw noUse();
	const pair = newPair(algorithm),
		publicKey = pair[0],
		privateKey = pair[1];
	publicKey.type = 'public';
	publicKey.extractable = true;
	publicKey.usages = usagesIn(usages, allowed[0]);
	privateKey.type = 'private';
	privateKey.extractable = extractable;
	privateKey.usages = forPrivate;
	return { publicKey: newCryptoKey(publicKey), privateKey: newCryptoKey(privateKey) };
}

// The first bits of a secret. The remaining bits of its last byte are 0.
function firstBits(secret, length) {
	if (length === null) return secret;
	if (length > typedArrayLength(secret) * 8)
		throw failedOperation('The secret has ' + typedArrayLength(secret) * 8 + ' bits, fewer than ' + length);
	const bytes = copyOfBytes(viewBytes(secret, 0, ((length + 7) / 8) | 0));
	if (length % 8 !== 0) bytes[typedArrayLength(bytes) - 1] &= 0xff << (8 - (length % 8));
	return bytes;
}

function agree(algorithm, key) {
	const other = algorithm.public,
		{ name } = algorithm;
	needType(key, 'private');
	if (
		other.type !== 'public' ||
		other.algorithm.name !== name ||
		other.algorithm.namedCurve !== key.algorithm.namedCurve
	)
		throw domError('InvalidAccessError', 'The member public of the algorithm is not a public key of the same kind');
	const secret =
		name === 'X25519'
			? xDerive(key.d, other.point)
			: ecDerive(curveNumbers[key.algorithm.namedCurve], key.d, other.point);
	return worked(secret, 'The two keys agree on nothing');
}

function derive(algorithm, key, length) {
	const { name } = algorithm;
	if (name === 'ECDH' || name === 'X25519') return firstBits(agree(algorithm, key), length);
	if (length === null || length % 8 !== 0) throw failedOperation('The length is not a multiple of 8 bits');
	const hash = hashNumbers[algorithm.hash],
		count = length / 8;
	if (name === 'HKDF')
		return worked(hkdf(hash, key.secret, algorithm.salt, algorithm.info, count), 'HKDF does not give so many bits');
	if (algorithm.iterations === 0) throw failedOperation('The member iterations of the algorithm is 0');
	return worked(pbkdf2(hash, key.secret, algorithm.salt, algorithm.iterations, count), 'PBKDF2 failed');
}

// ---- The interface ----

const asBuffer = bytes => typedArrayBuffer(bytes);

function settled(action) {
	try {
		return promiseOf(action());
	} catch (error) {
		return rejection(error);
	}
}

const wrapOperation = value => (isOperation(value, 'wrap') ? 'wrap' : 'encrypt');

class SubtleCrypto {
	#subtle = true;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
	}

	encrypt(algorithm, key, data) {
		const count = arguments.length;
		return settled(() => this.#crypt('encrypt', count, algorithm, key, data));
	}

	decrypt(algorithm, key, data) {
		const count = arguments.length;
		return settled(() => this.#crypt('decrypt', count, algorithm, key, data));
	}

	#crypt(usage, count, algorithm, key, data) {
		needArguments(usage, 3, count);
		const record = toKey(key, 'The second argument of ' + usage);
		const bytes = toCopiedBytes(data, 'The third argument of ' + usage);
		const wanted = normalizeAlgorithm(algorithm, 'encrypt');
		needKeyFor(record, wanted, usage);
		return asBuffer(crypt(wanted, record, bytes, usage === 'encrypt'));
	}

	sign(algorithm, key, data) {
		const count = arguments.length;
		return settled(() => {
			this.#subtle;
			needArguments('sign', 3, count);
			const record = toKey(key, 'The second argument of sign');
			const bytes = toCopiedBytes(data, 'The third argument of sign');
			const wanted = normalizeAlgorithm(algorithm, 'sign');
			needKeyFor(record, wanted, 'sign');
			return asBuffer(sign(wanted, record, bytes));
		});
	}

	verify(algorithm, key, signature, data) {
		const count = arguments.length;
		return settled(() => {
			this.#subtle;
			needArguments('verify', 4, count);
			const record = toKey(key, 'The second argument of verify');
			const signatureBytes = toCopiedBytes(signature, 'The third argument of verify');
			const bytes = toCopiedBytes(data, 'The fourth argument of verify');
			const wanted = normalizeAlgorithm(algorithm, 'sign');
			needKeyFor(record, wanted, 'verify');
			return verify(wanted, record, bytes, signatureBytes);
		});
	}

	digest(algorithm, data) {
		const count = arguments.length;
		return settled(() => {
			this.#subtle;
			needArguments('digest', 2, count);
			const bytes = toCopiedBytes(data, 'The second argument of digest');
			return asBuffer(digest(hashNumbers[normalizeAlgorithm(algorithm, 'digest').name], bytes));
		});
	}

	generateKey(algorithm, extractable, usages) {
		const count = arguments.length;
		return settled(() => {
			this.#subtle;
			needArguments('generateKey', 3, count);
			const list = toUsages(usages);
			return generate(normalizeAlgorithm(algorithm, 'generate'), !!extractable, list);
		});
	}

	deriveKey(algorithm, baseKey, derivedKeyType, extractable, usages) {
		const count = arguments.length;
		return settled(() => {
			this.#subtle;
			needArguments('deriveKey', 5, count);
			const list = toUsages(usages),
				record = toKey(baseKey, 'The second argument of deriveKey');
			const wanted = normalizeAlgorithm(algorithm, 'derive');
			const importing = normalizeAlgorithm(derivedKeyType, 'import'),
				sizing = normalizeAlgorithm(derivedKeyType, 'length');
			needKeyFor(record, wanted, 'deriveKey');
			const secret = derive(wanted, record, keyLength(sizing));
			const given = { __proto__: null, extractable: !!extractable, usages: list };
			return newCryptoKey(importKeyFrom('raw', secret, importing, given));
		});
	}

	deriveBits(algorithm, baseKey, length = null) {
		const count = arguments.length;
		return settled(() => {
			this.#subtle;
			needArguments('deriveBits', 2, count);
			const record = toKey(baseKey, 'The second argument of deriveBits');
			const bits = length === null ? null : +length >>> 0;
			const wanted = normalizeAlgorithm(algorithm, 'derive');
			needKeyFor(record, wanted, 'deriveBits');
			return asBuffer(derive(wanted, record, bits));
		});
	}

	importKey(format, keyData, algorithm, extractable, usages) {
		const count = arguments.length;
		return settled(() => {
			this.#subtle;
			needArguments('importKey', 5, count);
			const wantedFormat = toKeyFormat(format),
				list = toUsages(usages);
			const wanted = normalizeAlgorithm(algorithm, 'import'),
				data = toKeyData(wantedFormat, keyData);
			return newCryptoKey(
				importKeyFrom(wantedFormat, data, wanted, { __proto__: null, extractable: !!extractable, usages: list }),
			);
		});
	}

	exportKey(format, key) {
		const count = arguments.length;
		return settled(() => {
			this.#subtle;
			needArguments('exportKey', 2, count);
			const wantedFormat = toKeyFormat(format);
			const exported = exportKeyTo(wantedFormat, toKey(key, 'The second argument of exportKey'));
			return wantedFormat === 'jwk' ? exported : asBuffer(exported);
		});
	}

	wrapKey(format, key, wrappingKey, wrapAlgorithm) {
		const count = arguments.length;
		return settled(() => {
			this.#subtle;
			needArguments('wrapKey', 4, count);
			const wantedFormat = toKeyFormat(format),
				record = toKey(key, 'The second argument of wrapKey');
			const wrapping = toKey(wrappingKey, 'The third argument of wrapKey');
			const wanted = normalizeAlgorithm(wrapAlgorithm, wrapOperation(wrapAlgorithm));
			needKeyFor(wrapping, wanted, 'wrapKey');
			const exported = exportKeyTo(wantedFormat, record);
			const bytes = wantedFormat === 'jwk' ? utf8Encode(stringify(exported)) : exported;
			return asBuffer(crypt(wanted, wrapping, bytes, true));
		});
	}

	unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, usages) {
		const count = arguments.length;
		return settled(() => {
			this.#subtle;
			needArguments('unwrapKey', 7, count);
			const wantedFormat = toKeyFormat(format),
				list = toUsages(usages);
			const unwrapping = toKey(unwrappingKey, 'The third argument of unwrapKey');
			const wrapped = toCopiedBytes(wrappedKey, 'The second argument of unwrapKey');
			const wanted = normalizeAlgorithm(unwrapAlgorithm, wrapOperation(unwrapAlgorithm));
			const importing = normalizeAlgorithm(unwrappedKeyAlgorithm, 'import');
			needKeyFor(unwrapping, wanted, 'unwrapKey');
			const bytes = crypt(wanted, unwrapping, wrapped, false);
			const data = wantedFormat === 'jwk' ? parseWrappedJwk(bytes) : bytes;
			return newCryptoKey(
				importKeyFrom(wantedFormat, data, importing, { __proto__: null, extractable: !!extractable, usages: list }),
			);
		});
	}
}
finishInterface(SubtleCrypto, 'SubtleCrypto');

function parseWrappedJwk(bytes) {
	let value;
	try {
		value = parseJson(textOf(bytes));
	} catch {
		throw badKey('it is no JSON');
	}
	if (!isObject(value)) throw badKey('it is no JSON Web Key');
	return toJwk(value);
}
