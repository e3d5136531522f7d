// SPDX-License-Identifier: Apache-2.0
// Node's streams are converted to those of the web platform, and back.
// args: --node
// outcome: ok
// value: {"back":"abc","cancelled":true,"duplex":"HI","error":"broken","fromError":"bad","given up":"enough","legacy":[true,true],"objects":[1,2],"toWeb":"one two","written":"x1x2","writtenWeb":["a","b",true]}
import Stream, { Readable, Writable, Duplex, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
const seen = {};
seen.toWeb = await new Response(Readable.toWeb(Readable.from([Buffer.from('one '), Buffer.from('two')]))).text();
seen.objects = await Readable.fromWeb(Readable.toWeb(Readable.from([1, 2])), { objectMode: true }).toArray();
seen.back = (await Readable.fromWeb(new Blob(['abc']).stream()).toArray()).join('');

const source = new Readable({ read() { this.push('more'); } });
const closed = new Promise((done) => source.once('close', done));
await Readable.toWeb(source).cancel();
await closed;
seen.cancelled = source.destroyed;
const broken = new Readable({ read() { this.destroy(new Error('broken')); } });
broken.on('error', () => {});
seen.error = await Readable.toWeb(broken).getReader().read().catch((error) => error.message);
const bad = Readable.fromWeb(new ReadableStream({ pull(controller) { controller.error(new Error('bad')); } }));
seen.fromError = await bad.toArray().catch((error) => error.message);

let text = '';
const writer = Writable.toWeb(new Writable({ write(chunk, _, done) { text += 'x' + chunk; setTimeout(done, 1); } })).getWriter();
await writer.write('1');
await writer.write('2');
await writer.close();
seen.written = text;
const got = [];
await pipeline(Readable.from(['a', 'b']), Writable.fromWeb(new WritableStream({ write(chunk) { got.push(new TextDecoder().decode(chunk)); }, close() { got.push(true); } })));
seen.writtenWeb = got;
let reason;
const given = Writable.fromWeb(new WritableStream({ abort(why) { reason = why.message; } }));
const ended = new Promise((done) => given.once('close', done));
given.on('error', () => {}).destroy(new Error('enough'));
await ended;
seen['given up'] = reason;

const upper = Duplex.toWeb(new Transform({ transform(chunk, _, done) { done(null, String(chunk).toUpperCase()); } }));
const parts = Readable.from(['h', 'i']).pipe(Duplex.fromWeb(upper));
seen.duplex = (await parts.toArray()).join('');

// Old emitters without the methods of streams.
function Old() { Stream.call(this); }
Object.setPrototypeOf(Old.prototype, Stream.prototype);
const old = new Old();
seen.legacy = [typeof old.pipe === 'function' && old.read === undefined, Stream.Stream === Stream && new Readable() instanceof Stream];
export default Object.fromEntries(Object.entries(seen).sort());
