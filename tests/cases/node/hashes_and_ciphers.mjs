// SPDX-License-Identifier: Apache-2.0
// Hashes and ciphers that only node:crypto has: 139 results, of which Node 20 has the same sum.
// args: --node --timeout 60s
// outcome: ok
// stdout: 7482798c510c0726b0882a993a46c81d6b43b2b162206bfe9cc16cb4ef6eeba9 139
import crypto, { createHash, createHmac, createCipheriv, createDecipheriv } from 'node:crypto';
const told = [], note = (name, action) => {
	let result;
	try {
		result = action();
	} catch (error) {
		result = `${error.name} ${error.code}: ${error.message}`;
	}
	told.push(`${name} ${Buffer.isBuffer(result) ? result.toString('hex') : result}`);
};
const long = Buffer.alloc(1000, 'abcdefg'), key = Buffer.from(Array.from({ length: 32 }, (_, i) => i)), bytes = (length) => Buffer.alloc(length, 7);

for (const name of ['sha512-224', 'sha512-256', 'blake2b512', 'blake2s256', 'shake128', 'shake256', 'md5-sha1', 'RSA-SHA512/256', 'sha256WithRSAEncryption']) {
	note(name, () => createHash(name).update('').digest());
	for (const size of [63, 64, 65, 127, 128, 129, 136, 168, 1000])
		note(`${name} ${size}`, () => createHash(name).update(long.subarray(0, size)).digest('base64'));
	const parts = createHash(name);
	for (let at = 0; at < 1000; at += 37)
		parts.update(long.subarray(at, at + 37));
	note(`${name} in parts`, () => parts.copy().digest('base64') === createHash(name).update(long).digest('base64') && parts.digest().length);
}
note('outputLength', () => createHash('shake128', { outputLength: 400 }).update('a').digest('hex').slice(-40));
note('no output', () => createHash('shake256', { outputLength: 0 }).digest('hex') === '');
note('of a copy', () => createHash('shake256').update('a').copy({ outputLength: 5 }).digest());
note('wrong length', () => createHash('sha256', { outputLength: 5 }));
note('own length', () => createHash('sha256', { outputLength: 32 }).digest('base64'));
note('negative', () => createHash('shake128', { outputLength: -1 }));
for (const name of ['blake2b512', 'blake2s256', 'sha512-256', 'sha512-224', 'md5-sha1'])
	note(`hmac ${name}`, () => createHmac(name, 'k').update('data').digest('base64') + createHmac(name, bytes(200)).update(long).digest('base64'));
note('pbkdf2', () => crypto.pbkdf2Sync('p', 's', 3, 100, 'blake2b512'));
note('hkdf', () => Buffer.from(crypto.hkdfSync('blake2s256', 'p', 's', 'i', 70)));

const seal = (name, iv, options, parts, extra) => {
	const cipher = createCipheriv(name, key.subarray(0, /128/.test(name) ? 16 : 32), bytes(iv), options);
	if (extra)
		cipher.setAAD(Buffer.from(extra), { plaintextLength: Buffer.concat(parts).length });
	const text = Buffer.concat([...parts.map((part) => cipher.update(part)), cipher.final()]);
	return [text, options ? cipher.getAuthTag() : undefined];
};
const open = (name, iv, options, [text, tag], extra) => {
	const cipher = createDecipheriv(name, key.subarray(0, /128/.test(name) ? 16 : 32), bytes(iv), options);
	if (tag)
		cipher.setAuthTag(tag);
	if (extra)
		cipher.setAAD(Buffer.from(extra), { plaintextLength: text.length });
	return Buffer.concat([cipher.update(text), cipher.final()]);
};
const inParts = [long.subarray(0, 5), long.subarray(5, 21), long.subarray(21, 200), long.subarray(200, 201)];
for (const name of ['aes-128-ofb', 'aes-256-ofb', 'aes-128-cfb', 'aes-256-cfb', 'aes-128-cfb8', 'aes-256-cfb8', 'chacha20'])
	note(name, () => {
		const sealed = seal(name, 16, undefined, inParts);
		return [createHash('sha1').update(sealed[0]).digest('hex'), open(name, 16, undefined, sealed).equals(long.subarray(0, 201))];
	});
for (const [name, iv, options, extra] of [['aes-128-ccm', 12, { authTagLength: 16 }], ['aes-256-ccm', 7, { authTagLength: 4 }, 'extra'], ['id-aes128-CCM', 13, { authTagLength: 8 }, 'x'.repeat(70000)], ['chacha20-poly1305', 12, { authTagLength: 16 }, 'extra'], ['chacha20-poly1305', 12, { authTagLength: 16 }]])
	note(`${name} ${iv}`, () => {
		const sealed = seal(name, iv, options, name.endsWith('1305') ? inParts : [long], extra);
		const damaged = [Buffer.from(sealed[0]), sealed[1]];
		damaged[0][3] ^= 1;
		let refused;
		try {
			open(name, iv, options, damaged, extra);
		} catch (error) {
			refused = error.message;
		}
		return [createHash('sha1').update(sealed[0]).digest('hex'), sealed[1].toString('hex'), open(name, iv, options, sealed, extra).length, refused];
	});
const ccm = (options = { authTagLength: 16 }) => createCipheriv('aes-256-ccm', key, bytes(12), options);
note('no tag length', () => createCipheriv('aes-256-ccm', key, bytes(12)));
note('tag length', () => ccm({ authTagLength: 5 }));
note('iv', () => createCipheriv('aes-256-ccm', key, bytes(3), { authTagLength: 16 }));
note('no plaintextLength', () => ccm().setAAD(Buffer.from('a')));
note('twice', () => { const cipher = ccm(); cipher.update('a'); cipher.update('b'); });
note('nothing', () => ccm().final());
note('no tag', () => createDecipheriv('chacha20-poly1305', key, bytes(12), { authTagLength: 16 }).final());
note('iv of chacha', () => createCipheriv('chacha20-poly1305', key, bytes(8)));
for (const name of ['aes-128-ccm', 'aes-192-cfb8', 'aes-256-ofb', 'chacha20', 'chacha20-poly1305', 'nope'])
	note(name, () => JSON.stringify(crypto.getCipherInfo(name)));
note('512 bits', () => crypto.generateKeyPairSync('rsa', { modulusLength: 512 }).publicKey.asymmetricKeyDetails.modulusLength);
console.log(createHash('sha256').update(told.join('\n')).digest('hex'), told.length);
if (process.argv.includes('show'))
	console.log(told.join('\n'));
