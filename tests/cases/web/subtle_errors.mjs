// SPDX-License-Identifier: Apache-2.0
// Errors of crypto.subtle for invalid keys, algorithms and usages are those of the standard.
// outcome: ok
// value: "done"
const { subtle } = crypto;
const fails = async (promise, name, what) => {
	try { await promise; } catch (error) {
		if (error.name !== name) throw new Error(`${what}: ${error.name} (${error.message}) instead of ${name}`);
		if (name === 'TypeError' ? !(error instanceof TypeError) : !(error instanceof DOMException)) throw new Error(`${what}: of another class`);
		return;
	}
	throw new Error(`${what}: nothing thrown`);
};
const some = new Uint8Array(16), gcm = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt', 'decrypt']);
const rest = [true, ['sign']];

// Algorithms.
await fails(subtle.digest('MD5', some), 'NotSupportedError', 'MD5');
await fails(subtle.digest({}, some), 'TypeError', 'no name');
await fails(subtle.digest('SHA-256', 'text'), 'TypeError', 'a string');
await fails(subtle.digest('SHA-256'), 'TypeError', 'nothing');
await fails(subtle.encrypt('AES-GCM', gcm, some), 'TypeError', 'no iv');
await fails(subtle.encrypt({ name: 'AES-CBC', iv: some }, gcm, some), 'InvalidAccessError', 'another algorithm');
await fails(subtle.encrypt({ name: 'AES-GCM', iv: some, tagLength: 17 }, gcm, some), 'OperationError', 'a tag of 17 bits');
await fails(subtle.encrypt({ name: 'AES-GCM', iv: some, tagLength: 1000 }, gcm, some), 'TypeError', 'a tag of 1000 bits');
await fails(subtle.decrypt({ name: 'AES-GCM', iv: some }, gcm, some), 'OperationError', 'damaged');
await fails(subtle.decrypt({ name: 'AES-GCM', iv: some }, gcm, new Uint8Array(3)), 'OperationError', 'too short');
await fails(subtle.encrypt({ name: 'AES-GCM', iv: some }, {}, some), 'TypeError', 'no key');
await fails(subtle.sign('HMAC', gcm, some), 'InvalidAccessError', 'signing with a key for AES');
await fails(subtle.wrapKey('raw', gcm, gcm, { name: 'AES-GCM', iv: some }), 'InvalidAccessError', 'not for wrapping');

// Making keys.
await fails(subtle.generateKey({ name: 'AES-GCM', length: 127 }, true, ['encrypt']), 'OperationError', 'AES of 127 bits');
await fails(subtle.generateKey({ name: 'AES-GCM', length: 128 }, ...rest), 'SyntaxError', 'AES for signing');
await fails(subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, []), 'SyntaxError', 'for nothing');
await fails(subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['dance']), 'TypeError', 'for dancing');
await fails(subtle.generateKey({ name: 'AES-GCM', length: -1 }, true, ['encrypt']), 'TypeError', 'less than nothing');
await fails(subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-257' }, ...rest), 'NotSupportedError', 'a curve');
await fails(subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 1024, publicExponent: new Uint8Array([2]) }, ...rest), 'OperationError', 'an even exponent');
await fails(subtle.generateKey({ name: 'HMAC', hash: 'SHA-256', length: 0 }, ...rest), 'OperationError', 'HMAC of no bits');
await fails(subtle.generateKey({ name: 'HMAC', hash: 'MD4' }, ...rest), 'NotSupportedError', 'a hash');

// Reading keys.
const p256 = { name: 'ECDSA', namedCurve: 'P-256' }, rs256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
await fails(subtle.importKey('raw', new Uint8Array(15), 'AES-CBC', true, ['encrypt']), 'DataError', 'AES of 15 bytes');
await fails(subtle.importKey('raw', new Uint8Array(0), { name: 'HMAC', hash: 'SHA-256' }, ...rest), 'DataError', 'HMAC of nothing');
await fails(subtle.importKey('raw', some, { name: 'HMAC', hash: 'SHA-256', length: 129 }, ...rest), 'DataError', 'HMAC of more bits');
await fails(subtle.importKey('raw', some, 'PBKDF2', true, ['deriveBits']), 'SyntaxError', 'an extractable password');
await fails(subtle.importKey('pem', some, p256, ...rest), 'TypeError', 'a format');
await fails(subtle.importKey('jwk', some, p256, ...rest), 'TypeError', 'bytes as JWK');
await fails(subtle.importKey('raw', { kty: 'oct' }, 'AES-CBC', true, ['encrypt']), 'TypeError', 'a JWK as bytes');
await fails(subtle.importKey('raw', new Uint8Array(65).fill(4), p256, true, ['verify']), 'DataError', 'no point of the curve');
await fails(subtle.importKey('raw', new Uint8Array(0), p256, true, ['verify']), 'DataError', 'no point at all');
for (const format of ['spki', 'pkcs8']) {
	for (const algorithm of [p256, rs256, { name: 'Ed25519' }]) {
		for (const data of [[], [0x30], [0x30, 0x80], [0x30, 0x84, 255, 255, 255, 255], [0x30, 3, 2, 1, 0], new Array(300).fill(0x30)])
			await fails(subtle.importKey(format, Uint8Array.from(data), algorithm, true, format === 'spki' ? ['verify'] : ['sign']), 'DataError', `${format} of ${data.slice(0, 6)}`);
	}
}
const jwk = (key, algorithm, usages = ['sign'], extractable = true) => subtle.importKey('jwk', key, algorithm, extractable, usages);
const hs256 = { name: 'HMAC', hash: 'SHA-256' }, k = 'AAAAAAAAAAAAAAAAAAAAAA';
await fails(jwk({}, hs256), 'DataError', 'nothing');
await fails(jwk({ kty: 'RSA', k }, hs256), 'DataError', 'kty');
await fails(jwk({ kty: 'oct' }, hs256), 'DataError', 'no k');
await fails(jwk({ kty: 'oct', k, alg: 'HS512' }, hs256), 'DataError', 'alg');
await fails(jwk({ kty: 'oct', k, use: 'enc' }, hs256), 'DataError', 'use');
await fails(jwk({ kty: 'oct', k, key_ops: ['verify'] }, hs256), 'DataError', 'key_ops');
await fails(jwk({ kty: 'oct', k, ext: false }, hs256), 'DataError', 'ext');
await fails(jwk({ kty: 'EC', crv: 'P-384', x: k, y: k }, p256, ['verify']), 'DataError', 'crv');
await fails(jwk({ kty: 'EC', crv: 'P-256', x: k, y: k }, p256, ['verify']), 'DataError', 'x and y');
await fails(jwk({ kty: 'RSA', n: 'AQAB', e: 'AQAB' }, rs256, ['verify']), 'DataError', 'RSA of 17 bits');
await fails(jwk({ kty: 'RSA', n: k, e: 'AQAB', d: k, p: k, q: k, dp: k, dq: k, qi: k }, rs256), 'DataError', 'RSA of zeros');

// Keys without the usage, and keys that are not extractable.
const pair = await subtle.generateKey(p256, false, ['sign', 'verify']);
await fails(subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.publicKey, some), 'InvalidAccessError', 'signing with the public key');
await fails(subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, some, some), 'InvalidAccessError', 'verifying with the private key');
await fails(subtle.exportKey('pkcs8', pair.privateKey), 'InvalidAccessError', 'not extractable');
await fails(subtle.exportKey('raw', await subtle.importKey('raw', some, 'HKDF', false, ['deriveBits'])), 'NotSupportedError', 'HKDF');
const ecdh = { name: 'ECDH', namedCurve: 'P-256' }, a = await subtle.generateKey(ecdh, true, ['deriveBits', 'deriveKey']);
const other = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-384' }, true, ['deriveBits']);
await fails(subtle.exportKey('pkcs8', a.publicKey), 'InvalidAccessError', 'a public key as PKCS #8');
await fails(subtle.deriveBits({ name: 'ECDH', public: other.publicKey }, a.privateKey, 256), 'InvalidAccessError', 'another curve');
await fails(subtle.deriveBits({ name: 'ECDH', public: a.privateKey }, a.privateKey, 256), 'InvalidAccessError', 'a private key');
await fails(subtle.deriveBits({ name: 'ECDH', public: a.publicKey }, a.privateKey, 1024), 'OperationError', 'too many bits');
await fails(subtle.deriveBits({ name: 'ECDH' }, a.privateKey, 256), 'TypeError', 'no public key');
const x = await subtle.generateKey('X25519', true, ['deriveBits']), zero = await subtle.importKey('raw', new Uint8Array(32), 'X25519', true, []);
await fails(subtle.deriveBits({ name: 'X25519', public: zero }, x.privateKey, 256), 'OperationError', 'a key of small order');
const password = await subtle.importKey('raw', some, 'PBKDF2', false, ['deriveBits']);
await fails(subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: some, iterations: 0 }, password, 128), 'OperationError', 'no rounds');
await fails(subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: some, iterations: 1 }, password, 127), 'OperationError', '127 bits');
await fails(subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: some }, password, 128), 'TypeError', 'no number of rounds');
const hkdf = await subtle.importKey('raw', some, 'HKDF', false, ['deriveBits']);
await fails(subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: some, info: some }, hkdf, 255 * 256 + 8), 'OperationError', 'more than HKDF gives');
const aesKw = await subtle.generateKey({ name: 'AES-KW', length: 128 }, true, ['wrapKey', 'unwrapKey']);
await fails(subtle.unwrapKey('raw', new Uint8Array(24), aesKw, 'AES-KW', 'AES-GCM', true, ['encrypt']), 'OperationError', 'nothing wrapped');
await fails(subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(15) }, await subtle.importKey('raw', some, 'AES-CBC', true, ['encrypt']), some), 'OperationError', 'an iv of 15 bytes');
await fails(subtle.encrypt({ name: 'AES-CTR', counter: some, length: 0 }, await subtle.importKey('raw', some, 'AES-CTR', true, ['encrypt']), some), 'OperationError', 'a counter of no bits');
await fails(subtle.encrypt({ name: 'AES-CTR', counter: some, length: 1 }, await subtle.importKey('raw', some, 'AES-CTR', true, ['encrypt']), new Uint8Array(33)), 'OperationError', 'a counter that ends');

export default 'done';
