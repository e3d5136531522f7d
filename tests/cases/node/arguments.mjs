// SPDX-License-Identifier: Apache-2.0
// Wrong arguments, and what the packages of node:buffer, assert, events and zlib did otherwise, with Node's results.
// args: --node
// outcome: ok
// stdout: readInt32LE 67305985
// stdout: readBigUint64BE "72623859790382856n"
// stdout: readUIntLE 197121
// stdout: readInt32LE 117835012
// stdout: readBigUint64BE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be >= 0 and <= 2. Received 3
// stdout: readUIntLE 394500
// stdout: readInt32LE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be >= 0 and <= 6. Received 9
// stdout: readBigUint64BE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be >= 0 and <= 2. Received 9
// stdout: readUIntLE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be >= 0 and <= 7. Received 9
// stdout: readInt32LE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be >= 0 and <= 6. Received -1
// stdout: readBigUint64BE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be >= 0 and <= 2. Received -1
// stdout: readUIntLE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be >= 0 and <= 7. Received -1
// stdout: readInt32LE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be an integer. Received 1.5
// stdout: readBigUint64BE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be an integer. Received 1.5
// stdout: readUIntLE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be an integer. Received 1.5
// stdout: readInt32LE TypeError ERR_INVALID_ARG_TYPE The "offset" argument must be of type number. Received type string ('x')
// stdout: readBigUint64BE TypeError ERR_INVALID_ARG_TYPE The "offset" argument must be of type number. Received type string ('x')
// stdout: readUIntLE TypeError ERR_INVALID_ARG_TYPE The "offset" argument must be of type number. Received type string ('x')
// stdout: readInt32LE 67305985
// stdout: readBigUint64BE "72623859790382856n"
// stdout: readUIntLE TypeError ERR_INVALID_ARG_TYPE The "offset" argument must be of type number. Received undefined
// stdout: readIntBE 5523445972864
// stdout: readIntBE RangeError ERR_OUT_OF_RANGE The value of "byteLength" is out of range. It must be >= 1 and <= 6. Received 7
// stdout: readDoubleLE -8.238593297864435e+303
// stdout: readFloatBE RangeError ERR_OUT_OF_RANGE The value of "offset" is out of range. It must be >= 0 and <= 6. Received 7
// stdout: writeInt8 2
// stdout: writeUInt16BE [3,"00007f"]
// stdout: writeIntLE 6
// stdout: writeInt8 RangeError ERR_OUT_OF_RANGE The value of "value" is out of range. It must be >= -128 and <= 127. Received 128
// stdout: writeUInt16BE [3,"000080"]
// stdout: writeIntLE 6
// stdout: writeInt8 RangeError ERR_OUT_OF_RANGE The value of "value" is out of range. It must be >= -128 and <= 127. Received -129
// stdout: writeUInt16BE RangeError ERR_OUT_OF_RANGE The value of "value" is out of range. It must be >= 0 and <= 65535. Received -129
// stdout: writeIntLE 6
// stdout: writeInt8 RangeError ERR_OUT_OF_RANGE The value of "value" is out of range. It must be >= -128 and <= 127. Received 2147483648
// stdout: writeUInt16BE RangeError ERR_OUT_OF_RANGE The value of "value" is out of range. It must be >= 0 and <= 65535. Received 2147483648
// stdout: writeIntLE 6
// stdout: writeInt8 2
// stdout: writeUInt16BE [3,"000001"]
// stdout: writeIntLE 6
// stdout: writeInt8 2
// stdout: writeUInt16BE [3,"000005"]
// stdout: writeIntLE 6
// stdout: writeInt8 2
// stdout: writeUInt16BE [3,"000000"]
// stdout: writeIntLE 6
// stdout: writeBigInt64LE "feffffffffffffff"
// stdout: writeBigUInt64LE RangeError ERR_OUT_OF_RANGE The value of "value" is out of range. It must be >= 0n and < 2n ** 64n. Received -1n
// stdout: indexOf 0
// stdout: lastIndexOf 9
// stdout: indexOf 5
// stdout: lastIndexOf 5
// stdout: indexOf 7
// stdout: lastIndexOf 4
// stdout: indexOf -1
// stdout: lastIndexOf 7
// stdout: indexOf 1
// stdout: lastIndexOf 7
// stdout: indexOf 1
// stdout: lastIndexOf 7
// stdout: indexOf 2
// stdout: lastIndexOf 5
// stdout: indexOf TypeError ERR_INVALID_ARG_TYPE The "value" argument must be one of type number or string or an instance of Buffer or Uint8Array. Received an instance of Object
// stdout: lastIndexOf TypeError ERR_INVALID_ARG_TYPE The "value" argument must be one of type number or string or an instance of Buffer or Uint8Array. Received an instance of Object
// stdout: indexOf TypeError ERR_UNKNOWN_ENCODING Unknown encoding: x
// stdout: lastIndexOf TypeError ERR_UNKNOWN_ENCODING Unknown encoding: x
// stdout: indexOf -1
// stdout: lastIndexOf 6
// stdout: indexOf 1
// stdout: lastIndexOf 7
// stdout: fill "axyxef"
// stdout: fill "\u0000\u0000\u0000\u0000\u0000\u0000"
// stdout: fill RangeError ERR_OUT_OF_RANGE The value of "end" is out of range. It must be >= 0 && <= 6. Received 20
// stdout: fill TypeError ERR_INVALID_ARG_VALUE The argument 'value' is invalid. Received 'zz'
// stdout: fill "«««««f"
// stdout: fill TypeError ERR_INVALID_ARG_VALUE The argument 'value' is invalid. Received <Buffer >
// stdout: from TypeError ERR_INVALID_ARG_TYPE The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received type number (5)
// stdout: from TypeError ERR_INVALID_ARG_TYPE The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received null
// stdout: from TypeError ERR_INVALID_ARG_TYPE The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of Object
// stdout: from TypeError ERR_INVALID_ARG_TYPE The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received function 
// stdout: from RangeError ERR_BUFFER_OUT_OF_BOUNDS "offset" is outside of buffer bounds
// stdout: from RangeError ERR_BUFFER_OUT_OF_BOUNDS "length" is outside of buffer bounds
// stdout: concat TypeError ERR_INVALID_ARG_TYPE The "list[1]" argument must be an instance of Buffer or Uint8Array. Received type string ('b')
// stdout: alloc TypeError ERR_INVALID_ARG_TYPE The "size" argument must be of type number. Received type string ('3')
// stdout: copy RangeError ERR_OUT_OF_RANGE The value of "sourceStart" is out of range. It must be >= 0 && <= 10. Received 99
// stdout: write RangeError ERR_OUT_OF_RANGE The value of "length" is out of range. It must be >= 0 && <= 3. Received 99
// stdout: write [2,"bc","YWJjYWJjYWJj"]
// stdout: compare TypeError ERR_INVALID_ARG_TYPE The "buf1" argument must be an instance of Buffer or Uint8Array. Received type string ('a')
// stdout: toString TypeError ERR_UNKNOWN_ENCODING Unknown encoding: null
// stdout: assert AssertionError ERR_ASSERTION No value argument passed to `assert.ok()`
// stdout: assert AssertionError ERR_ASSERTION Expected values to be strictly equal:
// stdout: assert TypeError ERR_MISSING_ARGS The "actual" and "expected" arguments must be specified
// stdout: assert AssertionError ERR_ASSERTION Missing expected exception (TypeError).
// stdout: assert AssertionError ERR_ASSERTION The error is expected to be an instance of "RangeError". Received "TypeError"
// stdout: assert undefined
// stdout: assert TypeError ERR_INVALID_ARG_TYPE The "fn" argument must be of type function. Received type string ('x')
// stdout: assert TypeError ERR_AMBIGUOUS_ARGUMENT The "error/message" argument is ambiguous. The error message "x" is identical to the message.
// stdout: assert AssertionError ERR_ASSERTION Got unwanted exception: m
// stdout: assert AssertionError ERR_ASSERTION The "string" argument must be of type string. Received type number (5)
// stdout: assert AssertionError ERR_ASSERTION Missing expected rejection.
// stdout: assert TypeError ERR_INVALID_ARG_TYPE The "promiseFn" argument must be of type function or an instance of Promise. Received type string ('x')
// stdout: assert AssertionError ERR_ASSERTION ifError got unwanted exception: 'q'
// stdout: assert AssertionError ERR_ASSERTION Expected "actual" not to be strictly deep-equal to: 1
// stdout: message "Expected values to be strictly deep-equal:\n+ actual - expected\n\n  {\n    a: 1,\n    b: [\n      1,\n+     2\n-     3\n    ]\n  }"
// stdout: message "Expected values to be strictly deep-equal:\n+ actual - expected ... Lines skipped\n\n  [\n    1,\n...\n    8,\n    9,\n+   10\n-   11\n  ]"
// stdout: message "Expected values to be loosely deep-equal:\n\n[\n  1,\n  2\n]\n\nshould loosely deep-equal\n\n[\n  1,\n  3\n]"
// stdout: message "Values have same structure but are not reference-equal:\n\n{\n  a: 1\n}\n"
// stdout: message "Expected values to be strictly deep-equal:\n+ actual - expected\n\n  Comparison {\n+   message: 'x',\n-   message: 'y',\n    name: 'TypeError'\n  }"
// stdout: deep [true,false,false]
// stdout: listener TypeError ERR_INVALID_ARG_TYPE The "listener" argument must be of type function. Received type number (5)
// stdout: max RangeError ERR_OUT_OF_RANGE The value of "setMaxListeners" is out of range. It must be >= 0. Received -1
// stdout: emit Error ERR_UNHANDLED_ERROR Unhandled error. ('str')
// stdout: getEventListeners TypeError ERR_INVALID_ARG_TYPE The "emitter" argument must be an instance of EventEmitter or EventTarget. Received an instance of Object
// stdout: removal [["b","a"],[]]
// stdout: once TypeError ERR_INVALID_ARG_TYPE The "emitter" argument must be an instance of EventEmitter. Received an instance of Object
// stdout: once AbortError ABORT_ERR The operation was aborted
// stdout: on [[1],[2]]
// stdout: on "a"
// stdout: members "ab"
// stdout: padding "a"
// stdout: garbage Error Z_DATA_ERROR incorrect header check
// stdout: members in pieces "ab"
// stdout: dictionary true
// stdout: dictionary Error Z_NEED_DICT Missing dictionary
// stdout: dictionary Error Z_NEED_DICT Bad dictionary
// stdout: options RangeError ERR_OUT_OF_RANGE The value of "options.level" is out of range. It must be >= -1 and <= 9. Received 10
// stdout: options TypeError ERR_INVALID_ARG_TYPE The "options.level" property must be of type number. Received type string ('x')
// stdout: options RangeError ERR_OUT_OF_RANGE The value of "options.windowBits" is out of range. It must be >= 8 and <= 15. Received 16
// stdout: options RangeError ERR_OUT_OF_RANGE The value of "options.memLevel" is out of range. It must be >= 1 and <= 9. Received 0
// stdout: options RangeError ERR_OUT_OF_RANGE The value of "options.strategy" is out of range. It must be >= 0 and <= 4. Received 5
// stdout: options RangeError ERR_OUT_OF_RANGE The value of "options.chunkSize" is out of range. It must be >= 64. Received 10
// stdout: options RangeError ERR_OUT_OF_RANGE The value of "options.flush" is out of range. It must be >= 0 and <= 5. Received 99
// stdout: options TypeError ERR_INVALID_ARG_TYPE The "options.dictionary" property must be an instance of Buffer, TypedArray, DataView, or ArrayBuffer. Received type string ('x')
// stdout: zlib TypeError ERR_INVALID_ARG_TYPE The "buffer" argument must be of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer. Received type number (5)
// stdout: zlib TypeError ERR_INVALID_ARG_TYPE The "callback" argument must be of type function. Received undefined
// stdout: crc32 RangeError ERR_OUT_OF_RANGE The value of "value" is out of range. It must be >= 0 && <= 4294967295. Received -1
// stdout: duplex ["buffer","engine"]
// stdout: new [2,3,9,1]
import assert from 'node:assert'; import EventEmitter, { once, on, getEventListeners } from 'node:events'; import zlib from 'node:zlib';
const t = async (name, f) => { try { console.log(name, JSON.stringify(await f(), (k, v) => typeof v === 'bigint' ? v + 'n' : v)); } catch (e) { console.log(name, e.name, e.code, e.message.split('\n')[0]); } };
const b = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0x80]), s = Buffer.from('abcabcabc');
for (const o of [0, 3, 9, -1, 1.5, 'x', undefined]) { await t('readInt32LE', () => b.readInt32LE(o)); await t('readBigUint64BE', () => b.readBigUint64BE(o)); await t('readUIntLE', () => b.readUIntLE(o, 3)); }
await t('readIntBE', () => b.readIntBE(4, 6)); await t('readIntBE', () => b.readIntBE(0, 7)); await t('readDoubleLE', () => b.readDoubleLE(1)); await t('readFloatBE', () => b.readFloatBE(7));
for (const v of [127, 128, -129, 2 ** 31, 1.9, '5', NaN]) { await t('writeInt8', () => Buffer.alloc(2).writeInt8(v, 1)); await t('writeUInt16BE', () => { const x = Buffer.alloc(3); return [x.writeUInt16BE(v, 1), x.toString('hex')]; }); await t('writeIntLE', () => Buffer.alloc(6).writeIntLE(v, 0, 6)); }
await t('writeBigInt64LE', () => { const x = Buffer.alloc(8); x.writeBigInt64LE(-2n); return x.toString('hex'); }); await t('writeBigUInt64LE', () => Buffer.alloc(8).writeBigUInt64LE(-1n));
for (const a of [[''], ['', 5], ['b', -3], ['bc', -1], [98], [354], [Buffer.from('ca')], [{}], ['b', 'x'], ['a', 99], ['b', 'latin1']]) { await t('indexOf', () => s.indexOf(...a)); await t('lastIndexOf', () => s.lastIndexOf(...a)); }
for (const a of [['xy', 1, 4], [''], ['x', 0, 20], ['zz', 'hex'], ['ab', 0, 5, 'hex'], [Buffer.alloc(0)]]) await t('fill', () => Buffer.from('abcdef').fill(...a).toString('latin1'));
for (const a of [[5], [null], [{}], [() => 1], [new ArrayBuffer(2), 5], [new ArrayBuffer(2), 1, 5]]) await t('from', () => Buffer.from(...a).length);
await t('concat', () => Buffer.concat([Buffer.from('a'), 'b'])); await t('alloc', () => Buffer.alloc('3')); await t('copy', () => b.copy(Buffer.alloc(3), 0, 99)); await t('write', () => Buffer.alloc(3).write('abc', 1, 99)); await t('write', () => [Buffer.alloc(6).write('aGk', 1, 'base64url'), s.utf8Slice(1, 3), s.toString('base64url')]); await t('compare', () => Buffer.compare('a', s)); await t('toString', () => s.toString(null));
for (const f of [() => assert.ok(), () => assert.strictEqual(1, 2), () => assert.strictEqual(1), () => assert.throws(() => {}, TypeError), () => assert.throws(() => { throw new TypeError('x'); }, RangeError), () => assert.throws(() => { throw new TypeError('x'); }, /y/), () => assert.throws('x'), () => assert.throws(() => { throw new Error('x'); }, 'x'), () => assert.doesNotThrow(() => { throw new Error('x'); }, 'm'), () => assert.match(5, /x/), () => assert.rejects(Promise.resolve(1)), () => assert.rejects('x'), () => assert.ifError('q'), () => assert.notDeepStrictEqual(1, 1)]) await t('assert', f);
for (const f of [() => assert.deepStrictEqual({ a: 1, b: [1, 2] }, { a: 1, b: [1, 3] }), () => assert.deepStrictEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]), () => assert.deepEqual([1, 2], [1, 3]), () => assert.strictEqual({ a: 1 }, { a: 1 }), () => assert.throws(() => { throw new TypeError('x'); }, { message: 'y', name: 'TypeError' })]) await t('message', () => { try { f(); } catch (e) { return e.message; } });
await t('deep', () => [[new Float32Array([0]), new Float32Array([-0])], ['a', new String('a')], [new URL('http://a'), new URL('http://b')]].map(([x, y]) => { try { assert.deepEqual(x, y); return true; } catch { return false; } }));
await t('listener', () => new EventEmitter().on('a', 5)); await t('max', () => new EventEmitter().setMaxListeners(-1)); await t('emit', () => new EventEmitter().emit('error', 'str')); await t('getEventListeners', () => getEventListeners({}, 'a'));
await t('removal', () => { const e = new EventEmitter(), l = []; e.on('removeListener', (n) => l.push(n)); e.on('a', () => {}); e.once('b', () => {}); e.emit('b'); e.removeAllListeners(); return [l, e.eventNames()]; });
await t('once', () => once({}, 'a')); await t('once', () => once(new EventEmitter(), 'a', { signal: AbortSignal.abort() })); await t('on', async () => { const e = new EventEmitter(), l = []; setTimeout(() => { e.emit('a', 1); e.emit('a', 2); e.emit('end'); }, 1); for await (const x of on(e, 'a', { close: ['end'] })) l.push(x); return l; }); await t('on', async () => { const e = new EventTarget(); setTimeout(() => e.dispatchEvent(new Event('a')), 1); for await (const [x] of on(e, 'a')) return x.type; });
const d = Buffer.from('hello hello hello '.repeat(20)), dictionary = Buffer.from('hello ');
await t('members', () => zlib.gunzipSync(Buffer.concat([zlib.gzipSync('a'), zlib.gzipSync('b')])).toString()); await t('padding', () => zlib.gunzipSync(Buffer.concat([zlib.gzipSync('a'), Buffer.alloc(5)])).toString()); await t('garbage', () => zlib.gunzipSync(Buffer.concat([zlib.gzipSync('a'), Buffer.from('zzz')])).toString());
await t('members in pieces', async () => { const z = zlib.createGunzip(); z.write(zlib.gzipSync('a')); z.end(zlib.gzipSync('b')); let all = ''; for await (const x of z) all += x; return all; });
await t('dictionary', () => zlib.inflateSync(zlib.deflateSync(d, { dictionary }), { dictionary }).equals(d)); await t('dictionary', () => zlib.inflateSync(zlib.deflateSync(d, { dictionary }))); await t('dictionary', () => zlib.inflateSync(zlib.deflateSync(d, { dictionary }), { dictionary: Buffer.from('x') }));
for (const o of [{ level: 10 }, { level: 'x' }, { windowBits: 16 }, { memLevel: 0 }, { strategy: 5 }, { chunkSize: 10 }, { flush: 99 }, { dictionary: 'x' }]) await t('options', () => zlib.createDeflate(o)); await t('zlib', () => zlib.gzipSync(5)); await t('zlib', () => zlib.gzip('x')); await t('crc32', () => zlib.crc32('x', -1)); await t('duplex', () => Object.keys(zlib.deflateSync(d, { info: true })));
await t('new', () => [new Buffer.alloc(2).length, new Buffer.from('abc').length, new Buffer.concat([s]).length, new Buffer.allocUnsafe(1).length]);
