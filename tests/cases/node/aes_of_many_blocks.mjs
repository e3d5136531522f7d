// SPDX-License-Identifier: Apache-2.0
// CTR and GCM, which process eight blocks at a time, compared with ECB block by block and with the definition of GCM.
// args: --node --timeout 60s
// outcome: ok
// value: ["ctr 66","gcm 40","tag","iv"]
import { createCipheriv } from 'node:crypto';
const { subtle } = crypto;
const some = (length, seed) => Uint8Array.from({ length }, (_, i) => (i * 167 + seed * 31 + (i >> 8)) & 255);
const same = (a, b, what) => { if (Buffer.compare(Buffer.from(a), Buffer.from(b)) !== 0) throw new Error(what); };
const ecb = (key, blocks) => {
	const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
	return Buffer.concat([cipher.update(blocks), cipher.final()]);
};
const number = (bytes) => BigInt('0x0' + Buffer.from(bytes).toString('hex'));
const block = (value) => Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
// Only the lowest bits of the counter count.
function ctr(key, counter, bits, data) {
	const first = number(counter), mask = (1n << BigInt(bits)) - 1n, count = Math.ceil(data.length / 16);
	const blocks = Array.from({ length: count }, (_, i) => block((first & ~mask) | ((first + BigInt(i)) & mask)));
	const stream = count ? ecb(key, Buffer.concat(blocks)) : [];
	return data.map((byte, i) => byte ^ stream[i]);
}
function multiply(x, y) {
	let product = 0n;
	for (let bit = 127n; bit >= 0n; bit--) {
		if (x >> bit & 1n)
			product ^= y;
		y = y & 1n ? y >> 1n ^ 0xe1n << 120n : y >> 1n;
	}
	return product;
}
const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((16 - bytes.length % 16) % 16)]);
function hash(h, ...parts) {
	const all = Buffer.concat(parts);
	let state = 0n;
	for (let at = 0; at < all.length; at += 16)
		state = multiply(state ^ number(all.subarray(at, at + 16)), h);
	return block(state);
}
const lengths = (a, b) => block(BigInt(a) * 8n << 64n | BigInt(b) * 8n);
function gcm(key, iv, extra, data) {
	const h = number(ecb(key, Buffer.alloc(16)));
	const start = iv.length === 12 ? Buffer.concat([iv, Buffer.from([0, 0, 0, 1])]) : hash(h, padded(iv), lengths(0, iv.length));
	const next = Buffer.from(start);
	next.writeUInt32BE((start.readUInt32BE(12) + 1) >>> 0, 12);
	const out = ctr(key, next, 32, data), digest = hash(h, padded(extra), padded(out), lengths(extra.length, out.length));
	return Buffer.concat([out, ctr(key, start, 32, digest)]);
}
const said = [];
let count = 0;
for (const size of [16, 24, 32]) {
	const raw = some(size, size), key = await subtle.importKey('raw', raw, 'AES-CTR', false, ['encrypt', 'decrypt']);
	for (const length of [0, 1, 15, 16, 17, 127, 128, 129, 255, 300, 5000]) {
		for (const [counter, bits] of [['00112233445566778899aabbccddeefe', 64], ['ffffffffffffffffffffffffffffffff', 128]]) {
			const data = some(length, bits), iv = Buffer.from(counter, 'hex');
			const out = await subtle.encrypt({ name: 'AES-CTR', counter: iv, length: bits }, key, data);
			same(out, ctr(raw, iv, bits, data), `ctr ${size} ${length} ${counter}`);
			same(await subtle.decrypt({ name: 'AES-CTR', counter: iv, length: bits }, key, out), data, 'ctr back');
			count++;
		}
	}
}
said.push('ctr ' + count);
count = 0;
for (const size of [16, 32]) {
	const raw = some(size, size), key = await subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
	for (const length of [0, 1, 16, 33, 600]) {
		for (const [ivLength, extraLength] of [[12, 0], [12, 20], [16, 16], [60, 3]]) {
			const data = some(length, length), iv = some(ivLength, 3), extra = some(extraLength, 4), options = { name: 'AES-GCM', iv, additionalData: extra };
			const out = await subtle.encrypt(options, key, data);
			same(out, gcm(raw, iv, extra, data), `gcm ${size} ${length} ${ivLength} ${extraLength}`);
			same(await subtle.decrypt(options, key, out), data, 'gcm back');
			count++;
		}
	}
	// More than one piece. The tag is checked before any data is returned.
	const large = some(10000, 1), iv = some(12, 1), out = new Uint8Array(await subtle.encrypt({ name: 'AES-GCM', iv }, key, large));
	same(await subtle.decrypt({ name: 'AES-GCM', iv }, key, out), large, 'large');
	out[out.length - 1] ^= 1;
	const refused = await subtle.decrypt({ name: 'AES-GCM', iv }, key, out).then(() => 'taken', (error) => error.name);
	if (refused !== 'OperationError')
		throw new Error(refused);
}
said.push('gcm ' + count, 'tag', await subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(0) }, await subtle.importKey('raw', some(16, 1), 'AES-GCM', false, ['encrypt']), new Uint8Array(1)).then(() => 'taken', () => 'iv'));
export default said;
