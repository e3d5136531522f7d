// SPDX-License-Identifier: Apache-2.0
// CryptoKey of Web Crypto, and the conversion of keys from and to bytes and JSON Web Keys. A key is a record: { type,
// extractable, usages, algorithm, and one of: secret (bytes), rsa (its numbers n e d p q dp dq qi as bytes), point and
// d (bytes) }.

const hashNumbers = { __proto__: null, 'SHA-1': 0, 'SHA-256': 1, 'SHA-384': 2, 'SHA-512': 3 };
const hashBlockBits = { __proto__: null, 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024 };
const hashSuffixes = { __proto__: null, 'SHA-1': '1', 'SHA-256': '256', 'SHA-384': '384', 'SHA-512': '512' };
const curveNumbers = { __proto__: null, 'P-256': 0, 'P-384': 1, 'P-521': 2 };
const curveBytes = { __proto__: null, 'P-256': 32, 'P-384': 48, 'P-521': 66 };
const keyUsages = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];

function listHas(list, item) {
	for (let i = 0; i < list.length; i++) {
		if (list[i] === item) return true;
	}
	return false;
}

// The allowed usages of a key, by its algorithm: [secret or public, private].
const allowedUsages = {
	__proto__: null,
	'AES-CTR': [['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']],
	'AES-CBC': [['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']],
	'AES-GCM': [['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']],
	'AES-KW': [['wrapKey', 'unwrapKey']],
	HMAC: [['sign', 'verify']],
	'RSASSA-PKCS1-v1_5': [['verify'], ['sign']],
	'RSA-PSS': [['verify'], ['sign']],
	'RSA-OAEP': [
		['encrypt', 'wrapKey'],
		['decrypt', 'unwrapKey'],
	],
	ECDSA: [['verify'], ['sign']],
	Ed25519: [['verify'], ['sign']],
	ECDH: [[], ['deriveKey', 'deriveBits']],
	X25519: [[], ['deriveKey', 'deriveBits']],
	HKDF: [['deriveKey', 'deriveBits']],
	PBKDF2: [['deriveKey', 'deriveBits']],
};

function checkUsages(usages, allowed, name) {
	for (let i = 0; i < usages.length; i++) {
		if (!listHas(allowed, usages[i]))
			throw domError('SyntaxError', 'A key of this kind for ' + name + ' cannot be used for ' + usages[i]);
	}
}

// The usages in the order of the standard, each once.
function usagesIn(usages, allowed, orAllowed) {
	const list = [];
	for (let i = 0; i < keyUsages.length; i++) {
		if (
			listHas(usages, keyUsages[i]) &&
			(!allowed || listHas(allowed, keyUsages[i]) || (orAllowed && listHas(orAllowed, keyUsages[i])))
		)
			push(list, keyUsages[i]);
	}
	return list;
}

// An algorithm in the form that a program sees.
function algorithmObject(algorithm) {
	const object = {},
		names = objectKeys(algorithm);
	for (let i = 0; i < names.length; i++) {
		const value = algorithm[names[i]];
		put(
			object,
			names[i],
			names[i] === 'hash' ? { name: value } : names[i] === 'publicExponent' ? copyOfBytes(value) : value,
		);
	}
	return object;
}

let newCryptoKey, isCryptoKey, keyRecord;
class CryptoKey {
	#key;
	#algorithm;
	#usages;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
		this.#key = arguments[1];
	}

	get type() {
		return this.#key.type;
	}
	get extractable() {
		return this.#key.extractable;
	}
	get algorithm() {
		return (this.#algorithm ??= algorithmObject(this.#key.algorithm));
	}
	get usages() {
		return (this.#usages ??= usagesIn(this.#key.usages));
	}

	static {
		newCryptoKey = key => new CryptoKey(construct, key);
		isCryptoKey = value => isObject(value) && #key in value;
		keyRecord = value => value.#key;
	}
}
finishInterface(CryptoKey, 'CryptoKey');

// ---- Import: each function returns { type, algorithm, and the key itself } ----

const isFormat = (format, list) => {
	if (!listHas(list, format)) throw domError('NotSupportedError', 'A key of this algorithm has no format ' + format);
};

function bitLength(bytes) {
	const significant = withoutLeadingZeros(bytes),
		length = typedArrayLength(significant);
	return length === 0 ? 0 : length * 8 - (Math.clz32(significant[0]) - 24);
}

// A base64url member of a JSON Web Key.
function jwkBytes(jwk, name) {
	const value = jwk[name];
	const bytes = value === undefined ? undefined : fromBase64Url(value);
	if (!bytes) throw badKey('its member ' + name + ' is ' + (value === undefined ? 'missing' : 'not base64url'));
	return bytes;
}

function jwkNumber(jwk, name) {
	const bytes = jwkBytes(jwk, name);
	if (typedArrayLength(bytes) === 0) throw badKey('its member ' + name + ' is empty');
	return copyOfBytes(withoutLeadingZeros(bytes));
}

function checkJwk(jwk, kty, use, given) {
	if (jwk.kty !== kty) throw badKey('its member kty is not ' + kty);
	if (given.usages.length > 0 && jwk.use !== undefined && jwk.use !== use) throw badKey('its member use is not ' + use);
	if (jwk.key_ops !== undefined) {
		for (let i = 0; i < jwk.key_ops.length; i++) {
			for (let j = 0; j < i; j++) {
				if (jwk.key_ops[i] === jwk.key_ops[j]) throw badKey('its member key_ops has ' + jwk.key_ops[i] + ' twice');
			}
		}
		for (let i = 0; i < given.usages.length; i++) {
			if (!listHas(jwk.key_ops, given.usages[i])) throw badKey('its member key_ops has no ' + given.usages[i]);
		}
	}
	if (jwk.ext === false && given.extractable) throw badKey('its member ext does not let it be extractable');
}

function checkJwkAlg(jwk, alg) {
	if (jwk.alg !== undefined && jwk.alg !== alg) throw badKey('its member alg is not ' + alg);
}

const aesAlg = (name, length) => 'A' + length + slice(name, 4);

function importAes(format, data, algorithm, given) {
	isFormat(format, ['raw', 'jwk']);
	const { name } = algorithm;
	if (format === 'jwk') checkJwk(data, 'oct', 'enc', given);
	const secret = format === 'raw' ? data : jwkBytes(data, 'k');
	const length = typedArrayLength(secret) * 8;
	if (length !== 128 && length !== 192 && length !== 256)
		throw badKey('a key for AES has 128, 192 or 256 bits, not ' + length);
	if (format === 'jwk') checkJwkAlg(data, aesAlg(name, length));
	return { __proto__: null, type: 'secret', algorithm: { __proto__: null, name, length }, secret };
}

function importHmac(format, data, algorithm, given) {
	isFormat(format, ['raw', 'jwk']);
	const { name, hash } = algorithm;
	if (format === 'jwk') {
		checkJwk(data, 'oct', 'sig', given);
		checkJwkAlg(data, 'HS' + hashSuffixes[hash]);
	}
	const secret = format === 'raw' ? data : jwkBytes(data, 'k');
	const bits = typedArrayLength(secret) * 8,
		length = algorithm.length === undefined ? bits : algorithm.length;
	if (bits === 0 || length > bits || length <= bits - 8)
		throw badKey(bits === 0 ? 'it is empty' : 'it has ' + bits + ' bits, not ' + length);
	if (length % 8 !== 0) secret[typedArrayLength(secret) - 1] &= 0xff << (8 - (length % 8));
	return { __proto__: null, type: 'secret', algorithm: { __proto__: null, name, hash, length }, secret };
}

function importSecret(format, data, algorithm, given) {
	isFormat(format, ['raw']);
	if (given.extractable) throw domError('SyntaxError', 'A key for ' + algorithm.name + ' cannot be extractable');
	return { __proto__: null, type: 'secret', algorithm: { __proto__: null, name: algorithm.name }, secret: data };
}

const rsaAlg = ({ name, hash }) =>
	name === 'RSA-OAEP'
		? hash === 'SHA-1'
			? 'RSA-OAEP'
			: 'RSA-OAEP-' + hashSuffixes[hash]
		: (name === 'RSA-PSS' ? 'PS' : 'RS') + hashSuffixes[hash];
const rsaMembers = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'];

function readRsaNumbers(reader, count) {
	const parts = [];
	for (let i = 0; i < count; i++) push(parts, readInteger(reader));
	needEnd(reader);
	return parts;
}

function rsaOfJwk(jwk) {
	if (jwk.oth !== undefined)
		throw domError('NotSupportedError', 'A key for RSA of more than two primes is not supported');
	const parts = [];
	for (let i = 0; i < (jwk.d === undefined ? 2 : 8); i++) push(parts, jwkNumber(jwk, rsaMembers[i]));
	return parts;
}

function rsaOfBytes(format, data) {
	if (format === 'spki') return readRsaNumbers(readSequence(newReader(readSpki(data, oids.rsa, null))), 2);
	const reader = readSequence(newReader(readPkcs8(data, oids.rsa, null)));
	const version = readDer(reader, DER_INTEGER);
	if (typedArrayLength(version) !== 1 || version[0] !== 0) throw badKey('its version is unknown');
	return readRsaNumbers(reader, 8);
}

function importRsa(format, data, algorithm, given) {
	isFormat(format, ['spki', 'pkcs8', 'jwk']);
	const { name, hash } = algorithm;
	if (format === 'jwk') {
		checkJwk(data, 'RSA', name === 'RSA-OAEP' ? 'enc' : 'sig', given);
		checkJwkAlg(data, rsaAlg(algorithm));
	}
	const parts = format === 'jwk' ? rsaOfJwk(data) : rsaOfBytes(format, data);
	if (!checkRsa(parts)) throw badKey('it is no key for RSA');
	const isPublic = parts.length === 2;
	return {
		__proto__: null,
		type: isPublic ? 'public' : 'private',
		rsa: isPublic ? parts : fillRsa(parts),
		algorithm: { __proto__: null, name, modulusLength: bitLength(parts[0]), publicExponent: parts[1], hash },
	};
}

const ecAlgs = { __proto__: null, 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };

const badPoint = () => badKey('it is no point of the curve');

function ecOfPoint(curve, bytes) {
	const point = ecPoint(curveNumbers[curve], bytes);
	if (point === null) throw badPoint();
	return { __proto__: null, point };
}

function ecOfPrivate(curve, d, point) {
	const own = typedArrayLength(d) === curveBytes[curve] ? ecPublic(curveNumbers[curve], d) : null;
	if (own === null) throw badKey('it is no key of the curve');
	if (point && !sameBytes(ecOfPoint(curve, point).point, own)) throw badKey('its public key is of another one');
	return { __proto__: null, point: own, d };
}

function ecOfJwk(jwk, curve) {
	if (jwk.crv !== curve) throw badKey('its member crv is not ' + curve);
	const size = curveBytes[curve];
	const x = jwkBytes(jwk, 'x'),
		y = jwkBytes(jwk, 'y');
	if (typedArrayLength(x) !== size || typedArrayLength(y) !== size) throw badKey('a number in it has the wrong length');
	const point = joinBytes([bytesOfList([4]), x, y]);
	return jwk.d === undefined ? ecOfPoint(curve, point) : ecOfPrivate(curve, jwkBytes(jwk, 'd'), point);
}

function ecOfPkcs8(data, curve) {
	const reader = readSequence(newReader(readPkcs8(data, oids.ec, oids[curve])));
	const version = readDer(reader, DER_INTEGER);
	if (typedArrayLength(version) !== 1 || version[0] !== 1) throw badKey('its version is unknown');
	const d = copyOfBytes(readDer(reader, DER_OCTETS));
	if (nextIs(reader, 0xa0)) {
		const inner = newReader(readDer(reader, 0xa0));
		if (!sameBytes(readDer(inner, DER_OID), oids[curve])) throw badKey('it is of another curve');
	}
	const point = nextIs(reader, 0xa1) ? readBits(newReader(readDer(reader, 0xa1))) : undefined;
	needEnd(reader);
	return ecOfPrivate(curve, d, point);
}

function importEc(format, data, algorithm, given) {
	const { name, namedCurve } = algorithm;
	isFormat(format, ['raw', 'spki', 'pkcs8', 'jwk']);
	if (curveNumbers[namedCurve] === undefined)
		throw domError('NotSupportedError', 'The curve is not supported: ' + slice(namedCurve, 0, 64));
	if (format === 'jwk') {
		checkJwk(data, 'EC', name === 'ECDSA' ? 'sig' : 'enc', given);
		if (name === 'ECDSA') checkJwkAlg(data, ecAlgs[namedCurve]);
	}
	const key =
		format === 'jwk'
			? ecOfJwk(data, namedCurve)
			: format === 'pkcs8'
				? ecOfPkcs8(data, namedCurve)
				: ecOfPoint(namedCurve, format === 'raw' ? data : readSpki(data, oids.ec, oids[namedCurve]));
	key.type = key.d ? 'private' : 'public';
	key.algorithm = { __proto__: null, name, namedCurve };
	return key;
}

const okpPublic = (name, d) => (name === 'Ed25519' ? edPublic(d) : xDerive(d, undefined));

function okpOfJwk(jwk, name) {
	if (jwk.crv !== name) throw badKey('its member crv is not ' + name);
	return { __proto__: null, point: jwkBytes(jwk, 'x'), d: jwk.d === undefined ? undefined : jwkBytes(jwk, 'd') };
}

function okpOfPkcs8(data, name) {
	const reader = newReader(readPkcs8(data, oids[name], undefined));
	const d = copyOfBytes(readDer(reader, DER_OCTETS));
	needEnd(reader);
	return { __proto__: null, point: undefined, d };
}

// Ed25519 and X25519.
function importOkp(format, data, algorithm, given) {
	const { name } = algorithm;
	isFormat(format, ['raw', 'spki', 'pkcs8', 'jwk']);
	if (format === 'jwk') {
		checkJwk(data, 'OKP', name === 'Ed25519' ? 'sig' : 'enc', given);
		if (name === 'Ed25519' && data.alg !== 'EdDSA') checkJwkAlg(data, 'Ed25519');
	}
	const key =
		format === 'jwk'
			? okpOfJwk(data, name)
			: format === 'pkcs8'
				? okpOfPkcs8(data, name)
				: {
						__proto__: null,
						point: format === 'raw' ? data : copyOfBytes(readSpki(data, oids[name], undefined)),
						d: undefined,
					};
	if ((key.point && typedArrayLength(key.point) !== 32) || (key.d && typedArrayLength(key.d) !== 32))
		throw badKey('it has not 32 bytes');
	if (key.d) {
		const own = okpPublic(name, key.d);
		if (own === null || (key.point && !sameBytes(own, key.point))) throw badKey('its public key is of another one');
		key.point = own;
	}
	key.type = key.d ? 'private' : 'public';
	key.algorithm = { __proto__: null, name };
	return key;
}

const importers = {
	__proto__: null,
	'AES-CTR': importAes,
	'AES-CBC': importAes,
	'AES-GCM': importAes,
	'AES-KW': importAes,
	HMAC: importHmac,
	HKDF: importSecret,
	PBKDF2: importSecret,
	'RSASSA-PKCS1-v1_5': importRsa,
	'RSA-PSS': importRsa,
	'RSA-OAEP': importRsa,
	ECDSA: importEc,
	ECDH: importEc,
	Ed25519: importOkp,
	X25519: importOkp,
};

// given: { extractable, usages }
function importKeyFrom(format, data, algorithm, given) {
	const { name } = algorithm,
		allowed = allowedUsages[name];
	// If the format distinguishes private from public keys, the usages are checked first.
	const isPrivate = format === 'pkcs8' || (format === 'jwk' && data.d !== undefined);
	checkUsages(given.usages, allowed[allowed.length === 2 && isPrivate ? 1 : 0], name);
	const key = importers[name](format, data, algorithm, given);
	if ((key.type === 'secret' || key.type === 'private') && given.usages.length === 0)
		throw domError('SyntaxError', 'A ' + key.type + ' key has to be for something: the usages are empty');
	key.extractable = given.extractable;
	key.usages = usagesIn(given.usages);
	return key;
}

// ---- Export ----

function newJwk(key, kty) {
	return { kty, key_ops: usagesIn(key.usages), ext: key.extractable };
}

function exportSecret(format, key) {
	isFormat(format, ['raw', 'jwk']);
	if (format === 'raw') return copyOfBytes(key.secret);
	const jwk = newJwk(key, 'oct');
	put(jwk, 'k', toBase64Url(key.secret));
	put(
		jwk,
		'alg',
		key.algorithm.name === 'HMAC'
			? 'HS' + hashSuffixes[key.algorithm.hash]
			: aesAlg(key.algorithm.name, key.algorithm.length),
	);
	return jwk;
}

function exportRsa(format, key) {
	isFormat(format, ['spki', 'pkcs8', 'jwk']);
	const { rsa: parts } = key;
	if (format === 'jwk') {
		const jwk = newJwk(key, 'RSA');
		put(jwk, 'alg', rsaAlg(key.algorithm));
		for (let i = 0; i < parts.length; i++) put(jwk, rsaMembers[i], toBase64Url(parts[i]));
		return jwk;
	}
	const numbers = [];
	for (let i = 0; i < parts.length; i++) push(numbers, derInteger(parts[i]));
	if (format === 'spki') return writeSpki(oids.rsa, derNull, der(DER_SEQUENCE, numbers));
	return writePkcs8(oids.rsa, derNull, der(DER_SEQUENCE, [derNumber(0), joinBytes(numbers)]));
}

function exportEc(format, key) {
	isFormat(format, ['raw', 'spki', 'pkcs8', 'jwk']);
	const {
			point,
			d,
			algorithm: { namedCurve },
		} = key,
		size = curveBytes[namedCurve];
	if (format === 'raw') return copyOfBytes(point);
	const parameter = der(DER_OID, [oids[namedCurve]]);
	if (format === 'spki') return writeSpki(oids.ec, parameter, point);
	if (format === 'pkcs8')
		return writePkcs8(
			oids.ec,
			parameter,
			der(DER_SEQUENCE, [derNumber(1), der(DER_OCTETS, [d]), der(0xa1, [derBits(point)])]),
		);
	const jwk = newJwk(key, 'EC');
	put(jwk, 'crv', namedCurve);
	put(jwk, 'x', toBase64Url(viewBytes(point, 1, 1 + size)));
	put(jwk, 'y', toBase64Url(viewBytes(point, 1 + size, 1 + 2 * size)));
	if (d) put(jwk, 'd', toBase64Url(d));
	return jwk;
}

function exportOkp(format, key) {
	isFormat(format, ['raw', 'spki', 'pkcs8', 'jwk']);
	const {
		point,
		d,
		algorithm: { name },
	} = key;
	if (format === 'raw') return copyOfBytes(point);
	if (format === 'spki') return writeSpki(oids[name], derNothing, point);
	if (format === 'pkcs8') return writePkcs8(oids[name], derNothing, der(DER_OCTETS, [d]));
	const jwk = newJwk(key, 'OKP');
	if (name === 'Ed25519') put(jwk, 'alg', 'Ed25519');
	put(jwk, 'crv', name);
	put(jwk, 'x', toBase64Url(point));
	if (d) put(jwk, 'd', toBase64Url(d));
	return jwk;
}

const exporters = {
	__proto__: null,
	'AES-CTR': exportSecret,
	'AES-CBC': exportSecret,
	'AES-GCM': exportSecret,
	'AES-KW': exportSecret,
	HMAC: exportSecret,
	'RSASSA-PKCS1-v1_5': exportRsa,
	'RSA-PSS': exportRsa,
	'RSA-OAEP': exportRsa,
	ECDSA: exportEc,
	ECDH: exportEc,
	Ed25519: exportOkp,
	X25519: exportOkp,
};

const formatTypes = { __proto__: null, spki: 'public', pkcs8: 'private' };

function exportKeyTo(format, key) {
	const { name } = key.algorithm;
	if (!exporters[name]) throw domError('NotSupportedError', 'A key for ' + name + ' cannot be exported');
	if (!key.extractable) throw domError('InvalidAccessError', 'The key is not extractable');
	const needed = format === 'raw' && key.type !== 'secret' ? 'public' : formatTypes[format];
	if (needed && key.type !== needed && key.type !== 'secret')
		throw domError('InvalidAccessError', 'A ' + key.type + ' key has no format ' + format);
	return exporters[name](format, key);
}
