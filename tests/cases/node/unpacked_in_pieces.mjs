// SPDX-License-Identifier: Apache-2.0
// The streams of zlib unpack as fast as they are read, in little memory.
// args: --node --memory 32MiB --timeout 60s
// outcome: ok
// value: [100663296,1000000,true,"Z_DATA_ERROR"]
import { createGunzip, createGzip, createInflate, deflateSync } from 'node:zlib';
import { once } from 'node:events';
const gzip = createGzip(), packed = [];
gzip.on('data', (piece) => packed.push(piece));
for (let i = 0; i < 96; i++)
	gzip.write(Buffer.alloc(1 << 20)) || (await once(gzip, 'drain'));
gzip.end();
await once(gzip, 'end');
const all = Buffer.concat(packed), gunzip = createGunzip();
gunzip.end(all);
let length = 0;
for await (const piece of gunzip)
	length += piece.length;

// Read in paused mode, piece by piece.
const inflate = createInflate(), little = deflateSync(Buffer.alloc(500000)), [first, second] = [little, little];
let read = 0;
for (const data of [first, second]) {
	const stream = createInflate();
	stream.end(data);
	stream.on('readable', () => { for (let piece; (piece = stream.read(1000)) !== null;) read += piece.length; });
	await once(stream, 'end');
}
// A reader that leaves early, and damage at the end.
inflate.end(little);
for await (const piece of inflate)
	break;
const damaged = Buffer.from(all);
damaged[damaged.length - 6] ^= 1;
const broken = createGunzip();
broken.end(damaged);
let code;
try { for await (const piece of broken); } catch (error) { code = error.code; }
export default [length, read, inflate.destroyed, code];
