// SPDX-License-Identifier: Apache-2.0
// Errors have the codes of Node's, by which programs distinguish them.
// args: --node
// outcome: ok
// value: ["ERR_OUT_OF_RANGE","ERR_INVALID_ARG_TYPE","ERR_UNKNOWN_ENCODING","ERR_INVALID_BUFFER_SIZE","ERR_UNHANDLED_ERROR Unhandled error. ('text')","EventEmitter","Z_DATA_ERROR incorrect header check","Z_DATA_ERROR incorrect data check","Z_NEED_DICT Missing dictionary","file:///nowhere.js?a"]
import { EventEmitter } from 'node:events';
import zlib from 'node:zlib';
const code = (action) => { try { action(); return 'nothing'; } catch (error) { return error.code; } };
const whole = (action) => { try { action(); return 'nothing'; } catch (error) { return error.code + ' ' + error.message; } };
const damaged = zlib.deflateSync('some text, some text');
damaged[damaged.length - 1] ^= 1;
export default [code(() => Buffer.alloc(4).readUInt32LE(2)), code(() => Buffer.from(5)), code(() => Buffer.alloc(2).toString('none')), code(() => Buffer.alloc(3).swap16()),
	whole(() => new EventEmitter().emit('error', 'text')), new EventEmitter().constructor.name, whole(() => zlib.gunzipSync(Buffer.from('nope'))), whole(() => zlib.inflateSync(damaged)),
	whole(() => zlib.inflateSync(zlib.deflateSync('text', { dictionary: Buffer.from('text') }))), import.meta.resolve('./nowhere.js?a')];
