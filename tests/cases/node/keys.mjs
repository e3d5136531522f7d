// SPDX-License-Identifier: Apache-2.0
// Keys, signatures, scrypt and shared secrets of node:crypto, as in Node.
// args: --node --timeout 60s
// outcome: ok
// value: {"damaged":"string","details":[1024,"65537"],"ecP-256":[true,false,true,[true,true],"private","prime256v1",true],"ecdh":[true,66],"ecsecp384r1":[true,false,true,[true,true],"private","secp384r1",true],"ed":["e5564300c360ac729086e2cc806e828a","ed25519",{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"],"ed25519":[true,false,true,[true],"private",null,true],"encoded":["-----BEGIN PUBLIC KEY-----","-----BEGIN EC PRIVATE KEY-----"],"encrypted":["what is signed","what is signed"],"equal":true,"p1363":true,"pss":true,"rsa":[true,false,true,[true,true],"private",null,true],"scrypt":["fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640","4329787752e75d1de359a05806e492d4"],"scryptRefused":"ERR_CRYPTO_INVALID_SCRYPT_PARAMS","secret":["secret",3,"780c3db4"],"streams":true,"web":[true,true],"wrong":[true,true,true,true],"x25519":true}
import crypto, { generateKeyPairSync, generateKeyPair, sign, verify, createSign, createVerify, createPrivateKey, createPublicKey, createSecretKey, scryptSync, scrypt, publicEncrypt, privateDecrypt, createECDH, diffieHellman, KeyObject, constants, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
const told = {}, data = Buffer.from('what is signed');
told.scrypt = [scryptSync('password', 'NaCl', 64, { N: 1024, r: 8, p: 16 }).toString('hex'), (await promisify(scrypt)('p', 's', 16)).toString('hex')];
try { scryptSync('a', 'b', 1, { N: 1 << 20 }); } catch (e) { told.scryptRefused = e.code; }
const rsa = `-----BEGIN RSA PRIVATE KEY-----
MIICXQIBAAKBgQCpXwVrWLQw1Pt7mHcE2Tp5X5w=
-----END RSA PRIVATE KEY-----`;
try { createPrivateKey(rsa); } catch (e) { told.damaged = typeof e.code; }
const ed = createPrivateKey({ key: Buffer.from('302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'), format: 'der', type: 'pkcs8' });
told.ed = [sign(null, Buffer.alloc(0), ed).toString('hex').slice(0, 32), ed.asymmetricKeyType, createPublicKey(ed).export({ format: 'jwk' }), createPublicKey(ed).export({ type: 'spki', format: 'pem' })];
for (const [kind, options] of [['rsa', { modulusLength: 1024 }], ['ec', { namedCurve: 'P-256' }], ['ec', { namedCurve: 'secp384r1' }], ['ed25519', undefined]]) {
	const { publicKey, privateKey } = generateKeyPairSync(kind, options), hash = kind === 'ed25519' ? null : 'sha256';
	const signature = sign(hash, data, privateKey);
	const formats = [privateKey.export({ type: 'pkcs8', format: 'pem' }), ...(kind === 'rsa' ? [privateKey.export({ type: 'pkcs1', format: 'pem' })] : kind === 'ec' ? [privateKey.export({ type: 'sec1', format: 'pem' })] : [])];
	const again = formats.map((text) => createPrivateKey(text).equals(privateKey));
	const fromJwk = createPublicKey({ key: publicKey.export({ format: 'jwk' }), format: 'jwk' });
	told[kind + (options?.namedCurve ?? '')] = [verify(hash, data, publicKey, signature), verify(hash, Buffer.from('other'), publicKey, signature), verify(hash, data, fromJwk, signature), again, privateKey.type, publicKey.asymmetricKeyDetails?.namedCurve ?? null,
		verify(hash, data, formats[0], signature)];
	if (kind === 'rsa') {
		told.details = [publicKey.asymmetricKeyDetails.modulusLength, String(publicKey.asymmetricKeyDetails.publicExponent)];
		const pss = sign('sha256', data, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
		told.pss = verify('sha256', data, { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING }, pss);
		told.streams = createVerify('RSA-SHA512').update('a').update('b').verify(publicKey, createSign('sha512').update('ab').sign(privateKey.export({ type: 'pkcs1', format: 'pem' }), 'base64'), 'base64');
		told.encrypted = [privateDecrypt(privateKey, publicEncrypt(publicKey, data)).toString(), privateDecrypt({ key: privateKey, oaepHash: 'sha256' }, publicEncrypt({ key: publicKey, oaepHash: 'sha256' }, data)).toString()];
		told.web = await (async () => { const key = await crypto.subtle.importKey('spki', publicKey.export({ type: 'spki', format: 'der' }), { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, ['verify']); return [await crypto.subtle.verify('RSASSA-PKCS1-v1_5', key, signature, data), KeyObject.from(key).equals(publicKey)]; })();
	}
	if (kind === 'ec')
		told.p1363 = verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
}
const text = await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1', publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'sec1', format: 'pem' } });
told.encoded = [text.publicKey.split('\n')[0], text.privateKey.split('\n')[0]];
const a = createECDH('prime256v1'), b = createECDH('prime256v1'); a.generateKeys(); b.generateKeys();
told.ecdh = [a.computeSecret(b.getPublicKey()).equals(b.computeSecret(a.getPublicKey('hex'), 'hex')), a.getPublicKey('hex', 'compressed').length];
const x = generateKeyPairSync('x25519'), y = generateKeyPairSync('x25519');
told.x25519 = diffieHellman({ privateKey: x.privateKey, publicKey: y.publicKey }).equals(diffieHellman({ privateKey: y.privateKey, publicKey: x.publicKey }));
const secret = createSecretKey('key', 'utf8'); told.secret = [secret.type, secret.symmetricKeySize, crypto.createHmac('sha256', secret).update('a').digest('hex').slice(0, 8)];
told.wrong = []; for (const call of [() => sign('sha256', data, 'nonsense'), () => verify('sha256', data, undefined, data), () => generateKeyPairSync('nonsense'), () => sign('nonsense', data, ed)]) try { call(); told.wrong.push('nothing'); } catch (e) { told.wrong.push(e instanceof Error); }
told.equal = timingSafeEqual(Buffer.from('a'), Buffer.from('a'));
const sorted = (value) => value && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)])) : Array.isArray(value) ? value.map(sorted) : value;
export default sorted(told);
