// SPDX-License-Identifier: Apache-2.0
// Brotli of node:zlib unpacks data that Node has packed, and its errors are those of Node.
// outcome: ok
// args: --node --timeout 60s
// value: {"round":[true,true,0],"quality":[true,true,true],"known":"known text, as Node packs it","damaged":["ERR__ERROR_FORMAT_PADDING_2",-15,"Decompression failed"],"cut":["Z_BUF_ERROR",-5,"unexpected end of file"],"cutAllowed":true,"later":"later","streams":true,"tooLarge":["ERR_BUFFER_TOO_LARGE"],"names":[1,"function"]}
import zlib, { brotliCompressSync, brotliDecompressSync, brotliCompress, createBrotliCompress, createBrotliDecompress, constants } from 'node:zlib';
import { promisify } from 'node:util';
import { Readable } from 'node:stream';
const told = {}, text = Buffer.from('The quick brown fox jumps over the lazy dog. '.repeat(5000)), fails = (action) => { try { action(); return 'nothing'; } catch (e) { return [e.code, e.errno, e.message]; } };
const packed = brotliCompressSync(text);
told.round = [brotliDecompressSync(packed).equals(text), packed.length < 200, brotliDecompressSync(brotliCompressSync('')).length];
told.quality = [0, 5, 11].map((quality) => brotliDecompressSync(brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: 16 } })).equals(text));
told.known = brotliDecompressSync(Buffer.from('iw2Aa25vd24gdGV4dCwgYXMgTm9kZSBwYWNrcyBpdAM=', 'base64')).toString();
told.damaged = fails(() => brotliDecompressSync(Buffer.from('nonsense')));
told.cut = fails(() => brotliDecompressSync(packed.subarray(0, 20)));
told.cutAllowed = brotliDecompressSync(packed.subarray(0, packed.length - 1), { finishFlush: constants.BROTLI_OPERATION_FLUSH }).length > 0;
told.later = brotliDecompressSync(await promisify(brotliCompress)('later')).toString();
const pieces = []; for await (const piece of Readable.from([text.subarray(0, 70000), text.subarray(70000)]).pipe(createBrotliCompress()).pipe(createBrotliDecompress())) pieces.push(piece);
told.streams = Buffer.concat(pieces).equals(text);
told.tooLarge = fails(() => brotliDecompressSync(packed, { maxOutputLength: 1000 })).slice(0, 1);
told.names = [zlib.constants.BROTLI_PARAM_QUALITY, typeof zlib.BrotliCompress];
export default told;
