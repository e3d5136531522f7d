// SPDX-License-Identifier: Apache-2.0
// All of crypto.subtle, with the known answers of the standards, and a round trip of each algorithm.
// outcome: ok
// value: "done"
// limit: 60
const { subtle } = crypto;
const same = (actual, expected, what) => {
	if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
};
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const text = (string) => new TextEncoder().encode(string);
const raw = (data, algorithm, usages, extractable = true) => subtle.importKey('raw', data, algorithm, extractable, usages);

// Digests.
same(hex(await subtle.digest('SHA-1', text('abc'))), 'a9993e364706816aba3e25717850c26c9cd0d89d', 'SHA-1');
same(hex(await subtle.digest({ name: 'sha-256' }, text('abc'))), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'SHA-256');
same(hex(await subtle.digest('SHA-384', text('abc'))).slice(0, 32), 'cb00753f45a35e8bb5a03d699ac65007', 'SHA-384');
same(hex(await subtle.digest('SHA-512', text('abc'))).slice(0, 32), 'ddaf35a193617abacc417349ae204131', 'SHA-512');
same(hex(await subtle.digest('SHA-256', new ArrayBuffer(0))).slice(0, 16), 'e3b0c44298fc1c14', 'of nothing');

// HMAC, RFC 4231.
const hmacKey = await raw(bytes('0b'.repeat(20)), { name: 'HMAC', hash: 'SHA-256' }, ['sign', 'verify']);
const mac = await subtle.sign('HMAC', hmacKey, text('Hi There'));
same(hex(mac), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7', 'HMAC');
same([await subtle.verify('HMAC', hmacKey, mac, text('Hi There')), await subtle.verify('HMAC', hmacKey, mac, text('Hi there')),
	await subtle.verify('HMAC', hmacKey, mac.slice(1), text('Hi There'))], [true, false, false], 'HMAC verified');
same(hmacKey.algorithm, { name: 'HMAC', hash: { name: 'SHA-256' }, length: 160 }, 'the algorithm of a key');
same([hmacKey.type, hmacKey.extractable, hmacKey.usages, Object.prototype.toString.call(hmacKey)], ['secret', true, ['sign', 'verify'], '[object CryptoKey]'], 'a key');
const clone = structuredClone({ key: hmacKey }).key;
same([clone instanceof CryptoKey, clone !== hmacKey, hex(await subtle.sign('HMAC', clone, text('Hi There')))], [true, true, hex(mac)], 'a cloned key');
const jwk = await subtle.exportKey('jwk', hmacKey);
same([jwk.kty, jwk.alg, jwk.k, jwk.ext, jwk.key_ops], ['oct', 'HS256', 'CwsLCwsLCwsLCwsLCwsLCwsLCws', true, ['sign', 'verify']], 'HMAC as JWK');

// AES, NIST SP 800-38A and the GCM specification.
const nist = bytes('2b7e151628aed2a6abf7158809cf4f3c'), block = bytes('6bc1bee22e409f96e93d7e117393172a');
const cbc = await raw(nist, 'AES-CBC', ['encrypt', 'decrypt']), iv = bytes('000102030405060708090a0b0c0d0e0f');
const packed = await subtle.encrypt({ name: 'AES-CBC', iv }, cbc, block);
same([hex(packed).slice(0, 32), packed.byteLength], ['7649abac8119b246cee98e9b12e9197d', 32], 'AES-CBC');
same(hex(await subtle.decrypt({ name: 'AES-CBC', iv }, cbc, packed)), hex(block), 'AES-CBC back');
const ctr = await raw(nist, 'AES-CTR', ['encrypt', 'decrypt']), counter = bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
same(hex(await subtle.encrypt({ name: 'AES-CTR', counter, length: 128 }, ctr, block)), '874d6191b620e3261bef6864990db6ce', 'AES-CTR');
const wrapped = await subtle.encrypt({ name: 'AES-CTR', counter: bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), length: 8 }, ctr, new Uint8Array(48));
const unwrapped = await subtle.encrypt({ name: 'AES-CTR', counter: bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdfe00'), length: 8 }, ctr, new Uint8Array(32));
same(hex(wrapped).slice(32), hex(unwrapped), 'a counter that begins again');
const gcm = await raw(bytes('feffe9928665731c6d6a8f9467308308'), 'AES-GCM', ['encrypt', 'decrypt']);
const gcmOf = (more) => ({ name: 'AES-GCM', iv: bytes('cafebabefacedbaddecaf888'), additionalData: bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2'), ...more });
const plain = bytes('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39');
const sealed = await subtle.encrypt(gcmOf(), gcm, plain);
same([hex(sealed).slice(0, 16), hex(sealed).slice(-32)], ['42831ec221777424', '5bc94fbc3221a5db94fae95ae7121a47'], 'AES-GCM');
same(hex(await subtle.decrypt(gcmOf(), gcm, sealed)), hex(plain), 'AES-GCM back');
same((await subtle.encrypt(gcmOf({ tagLength: 96 }), gcm, plain)).byteLength, plain.length + 12, 'a short tag');
const kw = await raw(bytes('000102030405060708090a0b0c0d0e0f'), 'AES-KW', ['wrapKey', 'unwrapKey']); // RFC 3394
const inner = await raw(bytes('00112233445566778899aabbccddeeff'), 'AES-GCM', ['encrypt']);
const kept = await subtle.wrapKey('raw', inner, kw, 'AES-KW');
same(hex(kept), '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5', 'AES-KW');
same(hex(await subtle.exportKey('raw', await subtle.unwrapKey('raw', kept, kw, 'AES-KW', 'AES-GCM', true, ['encrypt']))), '00112233445566778899aabbccddeeff', 'AES-KW back');
const wrapping = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['wrapKey', 'unwrapKey']);
const asJwk = await subtle.wrapKey('jwk', inner, wrapping, { name: 'AES-GCM', iv });
same((await subtle.unwrapKey('jwk', asJwk, wrapping, { name: 'AES-GCM', iv }, 'AES-GCM', true, ['encrypt'])).algorithm, { name: 'AES-GCM', length: 128 }, 'a JWK wrapped');

// HKDF (RFC 5869) and PBKDF2 (RFC 6070, RFC 7914).
const hkdf = await raw(bytes('0b'.repeat(22)), 'HKDF', ['deriveBits', 'deriveKey'], false);
const hkdfParams = { name: 'HKDF', hash: 'SHA-256', salt: bytes('000102030405060708090a0b0c'), info: bytes('f0f1f2f3f4f5f6f7f8f9') };
same(hex(await subtle.deriveBits(hkdfParams, hkdf, 336)), '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865', 'HKDF');
const password = await raw(text('password'), 'PBKDF2', ['deriveBits', 'deriveKey'], false);
same(hex(await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: text('salt'), iterations: 4096 }, password, 160)), '4b007901b765489abead49d926f721d065a429c1', 'PBKDF2');
const derived = await subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt: text('salt'), iterations: 1000 }, password, { name: 'AES-CBC', length: 256 }, true, ['encrypt']);
same([derived.algorithm, (await subtle.exportKey('raw', derived)).byteLength], [{ name: 'AES-CBC', length: 256 }, 32], 'a derived key');
same((await subtle.deriveKey(hkdfParams, hkdf, { name: 'HMAC', hash: 'SHA-512' }, true, ['sign'])).algorithm.length, 1024, 'a derived key for HMAC');

// Each kind of pair: signed, exported in every format, imported, verified.
const formats = { public: ['spki', 'jwk'], private: ['pkcs8', 'jwk'] };
async function throughFormats(key, algorithm) {
	const copies = [];
	for (const format of [...formats[key.type], ...(key.type === 'public' && !algorithm.hash ? ['raw'] : [])]) {
		const data = await subtle.exportKey(format, key);
		const copy = await subtle.importKey(format, data, algorithm, true, key.usages);
		same([copy.type, copy.algorithm, copy.usages], [key.type, key.algorithm, key.usages], format);
		const again = await subtle.exportKey(format, copy);
		same(format === 'jwk' ? again : hex(again), format === 'jwk' ? data : hex(data), format + ' again');
		copies.push(copy);
	}
	return copies;
}
async function signsAndVerifies(algorithm, params) {
	const { publicKey, privateKey } = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
	same([publicKey.extractable, publicKey.usages, privateKey.usages], [true, ['verify'], ['sign']], 'a pair');
	const data = text('signed by ' + algorithm.name);
	for (const signer of [privateKey, ...await throughFormats(privateKey, algorithm)]) {
		const signature = await subtle.sign(params, signer, data);
		for (const verifier of [publicKey, ...await throughFormats(publicKey, algorithm)])
			same(await subtle.verify(params, verifier, signature, data), true, algorithm.name);
		same(await subtle.verify(params, publicKey, signature, text('another')), false, 'another text');
		same(await subtle.verify(params, publicKey, signature.slice(1), data), false, 'a short signature');
		same(await subtle.verify(params, publicKey, new Uint8Array(signature.byteLength), data), false, 'zeros');
	}
}
const rsa = { modulusLength: 1024, publicExponent: bytes('010001') };
await signsAndVerifies({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', ...rsa }, 'RSASSA-PKCS1-v1_5');
await signsAndVerifies({ name: 'RSA-PSS', hash: 'SHA-384', ...rsa }, { name: 'RSA-PSS', saltLength: 20 });
await signsAndVerifies({ name: 'RSA-PSS', hash: 'SHA-1', ...rsa }, { name: 'RSA-PSS', saltLength: 0 });
for (const namedCurve of ['P-256', 'P-384', 'P-521'])
	await signsAndVerifies({ name: 'ECDSA', namedCurve }, { name: 'ECDSA', hash: 'SHA-512' });
await signsAndVerifies({ name: 'Ed25519' }, 'Ed25519');

const oaep = { name: 'RSA-OAEP', hash: 'SHA-1', ...rsa };
const pair = await subtle.generateKey(oaep, true, ['encrypt', 'decrypt']);
const secret = await subtle.encrypt({ name: 'RSA-OAEP', label: text('label') }, pair.publicKey, text('a secret'));
same(new TextDecoder().decode(await subtle.decrypt({ name: 'RSA-OAEP', label: text('label') }, pair.privateKey, secret)), 'a secret', 'RSA-OAEP');
await throughFormats(pair.privateKey, oaep);
same([pair.publicKey.algorithm.modulusLength, Array.from(pair.publicKey.algorithm.publicExponent)], [1024, [1, 0, 1]], 'RSA-OAEP');

for (const algorithm of [{ name: 'ECDH', namedCurve: 'P-256' }, { name: 'ECDH', namedCurve: 'P-384' }, { name: 'ECDH', namedCurve: 'P-521' }, { name: 'X25519' }]) {
	const a = await subtle.generateKey(algorithm, true, ['deriveBits']), b = await subtle.generateKey(algorithm, false, ['deriveBits', 'deriveKey']);
	const [copy] = await throughFormats(a.privateKey, algorithm);
	const one = await subtle.deriveBits({ name: algorithm.name, public: b.publicKey }, copy, 256);
	same(hex(one), hex(await subtle.deriveBits({ name: algorithm.name, public: a.publicKey }, b.privateKey, 256)), algorithm.name);
	const key = await subtle.deriveKey({ name: algorithm.name, public: a.publicKey }, b.privateKey, { name: 'AES-GCM', length: 256 }, true, ['encrypt']);
	same(hex(await subtle.exportKey('raw', key)), hex(one), 'a key agreed on');
}

// RFC 8032, test 2.
const okp = (crv, d, x) => ({ kty: 'OKP', crv, x: btoa(String.fromCharCode(...bytes(x))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
	...(d && { d: btoa(String.fromCharCode(...bytes(d))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '') }) });
const edKey = await subtle.importKey('jwk', okp('Ed25519', '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'), 'Ed25519', false, ['sign']);
same(hex(await subtle.sign('Ed25519', edKey, bytes('72'))),
	'92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00', 'Ed25519');
export default 'done';
