// SPDX-License-Identifier: Apache-2.0
// Ciphers fed in pieces, hashes as streams, string decoders, promises of timers and legacy URLs, with Node's results.
// args: --node
// outcome: ok
// stdout: aes-128-cbc [116,"32,32,16,16,16","568733a37680f583c95ad6de5087e8876e9bc587",true]
// stdout: aes-128-cbc [56,"0,0,32,16","6bba3db025aa369f3e4a96b5c6b584213a2c28ff",true]
// stdout: aes-128-cbc [16,"16","872f74a7b84bbdd030315a3bd6d02d7650fcc297",true]
// stdout: aes-128-cbc [144,"16,0,32,16,0,32,16,32","252893d4c497d40a21f8b26a2daa18323d9a91cf",true]
// stdout: aes-256-ctr [64,"17,9,33,5","3f11ad8a4706092cbffc11238c2bbdd24d9fdb10",true]
// stdout: aes-256-ctr [0,"","da39a3ee5e6b4b0d3255bfef95601890afd80709",true]
// stdout: aes-256-ctr [56,"25,1,30","59d1568ce49f05f4f9e8bc792823315f937b508e",true]
// stdout: aes-256-ctr [0,"","da39a3ee5e6b4b0d3255bfef95601890afd80709",true]
// stdout: aes-192-ecb [16,"16","c08036ad6a0fac2d55c7b65809260311b0515083",true]
// stdout: aes-192-ecb [168,"0,32,0,0,16,32,32,32,16","5c98a64903b99fbb4c06bb93a724619e1f5dc575",true]
// stdout: aes-192-ecb [112,"32,16,32,32","f9efd25078f0360203bb6e792c5991d03bc2a182",true]
// stdout: aes-192-ecb [16,"16","61a86de178510ce54da49da78fad6740561945db",true]
// stdout: aes-256-gcm [144,"25,1,1,17,1,17,1,1,17,17,17,18,1,1,9","9196a8804c8c2a4ace4c613502dc594a6a4be3dd",true]
// stdout: aes-256-gcm [48,"17,9,17,5","94641d75a217e5c82e73fceb71f5f48bfbd25637",true]
// stdout: aes-256-gcm [128,"25,25,9,25,33,1,10","ebe949bf627b9a8666ac55be64f23b683b24ceea",true]
// stdout: aes-256-gcm [112,"25,9,33,1,1,1,33,9","f130eb16bff37b21c74c3d489dab4d3e1aa5a57b",true]
// stdout: aes-128-gcm [160,0,"04e67386e3e9b90a054b2ea721f851fc2ec1eb44",true]
// stdout: aes-128-gcm [64,0,"282afa02a702c34bff5bb03ab3de4d8719098e79",true]
// stdout: aes-128-gcm [128,0,"ded18e6ecb2b021d5203fea56c1052429069dbd5",true]
// stdout: aes-128-gcm [144,0,"fdaa2a35f7dd5f006729fb52a2304140a5aebb50",true]
// stdout: aes256 [40,"16,16","2da4fb39977ebb10c1dfe393dfd4a76f0d0d0ffb",true]
// stdout: aes256 [112,"0,16,16,16,16,32,16","1965cb239d0e44660405b46e78169ac123c8bd8e",true]
// stdout: aes256 [128,"16,0,0,32,0,32,0,32,16","6c8bad1ac1878330f45eb9a930663c26c011992b",true]
// stdout: aes256 [56,"16,32,0","bddbd8c9fd1307af076745a8b58e311ab9bdf202",true]
// stdout: encodings ["7gf9i/YGq8m94EoJt2ZV","ltZOIMR6iS7jhsLcFowBHoA="]
// stdout: state Error ERR_CRYPTO_INVALID_STATE Invalid state
// stdout: state Error undefined Trying to add data in unsupported state
// stdout: damaged Error ERR_OSSL_BAD_DECRYPT error:1C800064:Provider routines::bad decrypt
// stdout: short Error ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH error:1C80006B:Provider routines::wrong final block length
// stdout: no padding Error ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH error:1C80006B:Provider routines::wrong final block length
// stdout: tag TypeError ERR_CRYPTO_INVALID_AUTH_TAG Invalid authentication tag length: 3
// stdout: stream "hello"
// stdout: stream of a hash "187ef4436122d1cc2f40dc2b92f0eba0"
// stdout: crypto TypeError ERR_INVALID_ARG_TYPE The "algorithm" argument must be of type string. Received type number (5)
// stdout: crypto TypeError ERR_INVALID_ARG_TYPE The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received type number (5)
// stdout: crypto TypeError ERR_INVALID_ARG_TYPE The "key" argument must be of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey. Received undefined
// stdout: crypto TypeError ERR_CRYPTO_INVALID_DIGEST Invalid digest: nope
// stdout: crypto RangeError ERR_OUT_OF_RANGE The value of "iterations" is out of range. It must be >= 1 && <= 2147483647. Received 0
// stdout: crypto RangeError ERR_OUT_OF_RANGE The value of "keylen" is out of range. It must be >= 0 && <= 2147483647. Received -1
// stdout: crypto TypeError ERR_CRYPTO_INVALID_DIGEST Invalid digest: nope
// stdout: crypto TypeError ERR_INVALID_ARG_TYPE The "callback" argument must be of type function. Received undefined
// stdout: crypto RangeError ERR_OUT_OF_RANGE The value of "max" is out of range. It must be greater than the value of "min" (5). Received 1
// stdout: crypto TypeError ERR_INVALID_ARG_TYPE The "max" argument must be a safe integer. Received type string ('x')
// stdout: crypto TypeError ERR_INVALID_ARG_TYPE The "buf" argument must be an instance of ArrayBuffer or ArrayBufferView. Received type string ('x')
// stdout: crypto RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be >= 0 && <= 4. Received 5
// stdout: crypto TypeError ERR_INVALID_ARG_TYPE The "buf1" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.
// stdout: crypto TypeError ERR_INVALID_ARG_TYPE The "iv" argument must be of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView. Received undefined
// stdout: crypto TypeError ERR_CRYPTO_INVALID_IV Invalid initialization vector
// stdout: crypto TypeError ERR_INVALID_ARG_VALUE The property 'options.length' must be one of: 128, 192, 256. Received 100
// stdout: utf8 ["",1,"€A=","��",""]
// stdout: utf16le ["苢",0,"䆬","\ud83d",""]
// stdout: base64 ["",1,"4oKsQT3Y","8A==",""]
// stdout: base64url ["",1,"4oKsQT3Y","8A",""]
// stdout: hex ["e282",0,"ac413dd8","f0",""]
// stdout: latin1 ["â",0,"¬A=Ø","ð",""]
// stdout: bogus TypeError ERR_UNKNOWN_ENCODING Unknown encoding: bogus
// stdout: decoder ["fffd e9 fffd 41 fffd fffd fffd fffd fffd fffd fffd","c3ac a9a9 a941 9f82 a09f f0ac"]
// stdout: decoder ["2a5f fffd fffd fffd df fffd fffd 41 fffd","a9e2 ff9f acff 9fc3 f0ff a941"]
// stdout: decoder ["fffd fffd fffd fffd 2a69 fffd fffd fffd","eded a0a0 a9e2 e2a9 f0ac 9fe2"]
// stdout: decoder ["fffd fffd 41 fffd fffd fffd fffd 41 41 e9","8292 9241 edff 9fed 4141 a9c3"]
// stdout: decoder ["fffd 20a0 fffd fffd fffd fffd fffd fffd fffd","e2a9 a082 eda0 e2ff f092 a0ff"]
// stdout: decoder ["fffd 41 fffd 41 fffd fffd fffd fffd fffd 41 fffd","41ac 9fed a941 ac9f e282 8241"]
// stdout: decoder ["fffd fffd fffd fffd fffd fffd fffd ec fffd fffd fffd","a9a9 a082 ffed c392 a9ac e282"]
// stdout: decoder ["fffd fffd fffd e0 fffd fffd fffd fffd fffd fffd fffd","a9a0 c3c3 e2a0 a0ff a9ed ffa0"]
// stdout: timers AbortError ABORT_ERR The operation was aborted
// stdout: timers TypeError ERR_INVALID_ARG_TYPE The "options.signal" property must be an instance of AbortSignal. Received type number (5)
// stdout: timers TypeError ERR_INVALID_ARG_TYPE The "options" argument must be of type object. Received type number (5)
// stdout: interval AbortError ABORT_ERR The operation was aborted
// stdout: interval [3,"q"]
// stdout: url TypeError ERR_INVALID_FILE_URL_HOST File URL host must be "localhost" or empty on linux
// stdout: url TypeError ERR_INVALID_ARG_TYPE The "path" argument must be of type string or an instance of URL. Received type number (5)
// stdout: url "file:///a/"
// stdout: url TypeError ERR_INVALID_ARG_TYPE The "path" argument must be of type string. Received type number (5)
// stdout: url TypeError ERR_INVALID_ARG_TYPE The "url" argument must be of type string. Received type number (5)
// stdout: url TypeError ERR_INVALID_ARG_TYPE The "urlObject" argument must be one of type object or string. Received type number (5)
// stdout: url "http://a/b?c=1&c=2"
// stdout: url "http://münchen.de/"
import crypto from 'node:crypto'; import { StringDecoder } from 'node:string_decoder'; import timers from 'node:timers/promises'; import url from 'node:url'; import { Readable } from 'node:stream'; import { pipeline } from 'node:stream/promises';
const t = async (name, f) => { try { console.log(name, JSON.stringify(await f())); } catch (e) { console.log(name, e.name, e.code, e.message.split('\n')[0]); } };
let seed = 7;
const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n, key = Buffer.alloc(32, 1), iv = Buffer.from('00112233445566778899aabbfffffffe', 'hex');
for (const [name, bits, size] of [['aes-128-cbc', 16, 16], ['aes-256-ctr', 32, 16], ['aes-192-ecb', 24, 0], ['aes-256-gcm', 32, 12], ['aes-128-gcm', 16, 16], ['aes256', 32, 16]]) {
	for (let round = 0; round < 4; round++) {
		const plain = Buffer.from(Array.from({ length: random(200) }, () => random(256))), start = size ? iv.subarray(16 - size) : null, lengths = [];
		const run = (cipher, data) => { const parts = []; for (let at = 0; at < data.length;) { const count = 1 + random(40); parts.push(cipher.update(data.subarray(at, at + count))); lengths.push(parts.at(-1).length); at += count; } parts.push(cipher.final()); return Buffer.concat(parts); };
		const one = crypto.createCipheriv(name, key.subarray(0, bits), start), sealed = run(one, plain), other = crypto.createDecipheriv(name, key.subarray(0, bits), start);
		if (/gcm/.test(name)) other.setAuthTag(one.getAuthTag());
		await t(name, () => [plain.length, size === 16 && /gcm/.test(name) ? 0 : lengths.join(), crypto.createHash('sha1').update(sealed).digest('hex'), run(other, sealed).equals(plain)]);
	}
}
await t('encodings', () => { const c = crypto.createCipheriv('aes-128-cbc', key.subarray(0, 16), iv); return [c.update('a'.repeat(17), 'utf8', 'base64'), c.final('base64')]; });
await t('state', () => { const c = crypto.createCipheriv('aes-128-cbc', key.subarray(0, 16), iv); c.final(); c.final(); }); await t('state', () => { const c = crypto.createCipheriv('aes-128-cbc', key.subarray(0, 16), iv); c.final(); c.update('x'); });
await t('damaged', () => { const c = crypto.createDecipheriv('aes-256-cbc', key, iv); c.update(Buffer.alloc(16)); c.final(); }); await t('short', () => { const c = crypto.createDecipheriv('aes-256-cbc', key, iv); c.update(Buffer.alloc(5)); c.final(); }); await t('no padding', () => { const c = crypto.createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false); c.update('abc'); c.final(); }); await t('tag', () => crypto.createDecipheriv('aes-256-gcm', key, iv).setAuthTag(Buffer.alloc(3)));
await t('stream', async () => { const c = crypto.createCipheriv('aes-256-cbc', key, iv); c.end('hello'); const parts = []; for await (const part of c) parts.push(part); const d = crypto.createDecipheriv('aes-256-cbc', key, iv); let text = ''; await pipeline(Readable.from(parts), d, async (source) => { for await (const part of source) text += part; }); return text; });
await t('stream of a hash', async () => { const h = crypto.createHash('md5').setEncoding('hex'); h.write('a'); h.end('b'); let text = ''; for await (const part of h) text += part; return text; });
for (const f of [() => crypto.createHash(5), () => crypto.createHash('md5').update(5), () => crypto.createHmac('md5'), () => crypto.createHmac('nope', 'x'), () => crypto.pbkdf2Sync('p', 's', 0, 20, 'sha1'), () => crypto.pbkdf2Sync('p', 's', 1, -1, 'sha1'), () => crypto.pbkdf2Sync('p', 's', 1, 20, 'nope'), () => crypto.pbkdf2('p', 's', 1, 20, 'sha1'), () => crypto.randomInt(5, 1), () => crypto.randomInt('x'), () => crypto.randomFillSync('x'), () => crypto.randomFillSync(Buffer.alloc(4), 5), () => crypto.timingSafeEqual('a', 'b'), () => crypto.createCipheriv('aes-256-cbc', key), () => crypto.createCipheriv('aes-256-cbc', key, null), () => crypto.generateKeySync('aes', { length: 100 })]) await t('crypto', f);
for (const encoding of ['utf8', 'utf16le', 'base64', 'base64url', 'hex', 'latin1', 'bogus']) await t(encoding, () => { const s = new StringDecoder(encoding); return [s.write(Buffer.from([0xe2, 0x82])), s.lastNeed, s.write(Buffer.from([0xac, 0x41, 0x3d, 0xd8])), s.end(Buffer.from([0xf0])), s.end()]; });
for (let round = 0; round < 8; round++) await t('decoder', () => { const bytes = Buffer.from(Array.from({ length: 12 }, () => [0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x92, 0xa9, 0xff, 0xed, 0xa0][random(13)])); return ['utf8', 'utf16le'].map((encoding) => { const s = new StringDecoder(encoding); let text = ''; for (const byte of bytes) text += s.write(Buffer.from([byte])); return [...text + s.end()].map((c) => c.codePointAt(0).toString(16)).join(' '); }); });
await t('timers', () => timers.setTimeout(100, 0, { signal: AbortSignal.abort() })); await t('timers', () => timers.setTimeout(1, 0, { signal: 5 })); await t('timers', () => timers.setTimeout(1, 0, 5)); await t('interval', async () => { const c = new AbortController(); setTimeout(() => c.abort(), 5); for await (const _ of timers.setInterval(1, 'q', { signal: c.signal })); }); await t('interval', async () => { let n = 0; for await (const v of timers.setInterval(1, 'q')) if (++n === 3) return [n, v]; });
for (const f of [() => url.fileURLToPath('file://host/a'), () => url.fileURLToPath(5), () => url.pathToFileURL('/a/').href, () => url.pathToFileURL(5), () => url.parse(5), () => url.format(5), () => url.format({ protocol: 'http', host: 'a', pathname: 'b', query: { c: [1, 2] } }), () => url.format(new URL('http://xn--mnchen-3ya.de/'), { unicode: true })]) await t('url', f);
