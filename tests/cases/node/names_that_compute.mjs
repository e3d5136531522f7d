// SPDX-License-Identifier: Apache-2.0
// What Node's modules compute, with Node's results.
// args: --node
// outcome: ok
// stdout: 0 [ 'mime', [ 'text/html;charset="utf 8";x=y;z="a\\"b"', 'text/html', [ 'charset', 'x', 'z' ], '"text/html;charset=\\"utf 8\\";x=y;z=\\"a\\\\\\"b\\""' ] ]
// stdout: 1 [ 'mime bad', 'TypeError', 'ERR_INVALID_MIME_SYNTAX', 'The MIME syntax for a type in "a b" is invalid at 1' ]
// stdout: 2 [ 'mimeparams', 'a=""' ]
// stdout: 3 [ 'env', { A: '1', B: 'x\ny', C: 'q', E: 'f g' } ]
// stdout: 4 [
// stdout:   'args',
// stdout:   {
// stdout:     values: [Object: null prototype] { a: true, b: true, n: [ '1' ] },
// stdout:     positionals: [ 'x' ],
// stdout:     tokens: [
// stdout:       { kind: 'option', name: 'a', rawName: '-a', index: 0, value: undefined, inlineValue: undefined },
// stdout:       { kind: 'option', name: 'b', rawName: '-b', index: 0, value: undefined, inlineValue: undefined },
// stdout:       { kind: 'option', name: 'n', rawName: '--n', index: 1, value: '1', inlineValue: true },
// stdout:       { kind: 'option-terminator', index: 2 },
// stdout:       { kind: 'positional', index: 3, value: 'x' }
// stdout:     ]
// stdout:   }
// stdout: ]
// stdout: 5 [ 'args neg', { values: [Object: null prototype] { color: false }, positionals: [] } ]
// stdout: 6 [ 'args -x', 'TypeError', 'ERR_PARSE_ARGS_UNKNOWN_OPTION', "Unknown option '-x'" ]
// stdout: 7 [ 'args --n', 'TypeError', 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', "Option '--n <value>' argument missing" ]
// stdout: 8 [
// stdout:   'args --n,-1',
// stdout:   'TypeError',
// stdout:   'ERR_PARSE_ARGS_INVALID_OPTION_VALUE',
// stdout:   "Option '--n' argument is ambiguous.\nDid you forget to specify the option argument for '--n'?\nTo specify an option argument starting with a dash use '--n=-XYZ'."
// stdout: ]
// stdout: 9 [ 'args pos', 'TypeError', 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL', "Unexpected argument 'pos'. This command does not take positional arguments" ]
// stdout: 10 [ 'args --a=1', 'TypeError', 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', "Option '-a, --a' does not take an argument" ]
// stdout: 11 [ 'args --nope=1', 'TypeError', 'ERR_PARSE_ARGS_UNKNOWN_OPTION', "Unknown option '--nope'" ]
// stdout: 12 [ 'args bad', 'TypeError', 'ERR_INVALID_ARG_TYPE', `The "options.a.type" property must be ('string|boolean'). Received type string ('x')` ]
// stdout: 13 [ 'errname', [ 'ENOENT', [ 'EACCES', 'permission denied' ], 84 ] ]
// stdout: 14 [ 'errname bad', 'RangeError', 'ERR_OUT_OF_RANGE', 'The value of "err" is out of range. It must be a negative integer. Received 2' ]
// stdout: 15 [ 'errname bad2', 'TypeError', 'ERR_INVALID_ARG_TYPE', `The "err" argument must be of type number. Received type string ('2')` ]
// stdout: 16 [ 'promisify', 'TypeError', 'ERR_INVALID_ARG_TYPE', 'The "original" argument must be of type function. Received type number (5)' ]
// stdout: 17 [ 'callbackify', [ 'Error', 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value' ] ]
// stdout: 18 [ 'inherits', 'TypeError', 'ERR_INVALID_ARG_TYPE', 'The "superCtor.prototype" property must be of type object. Received undefined' ]
// stdout: 19 [ 'aborted', 'TypeError', 'ERR_INVALID_ARG_TYPE', 'The "signal" argument must be an instance of AbortSignal. Received type number (1)' ]
// stdout: 20 [ 'strip', [ 'xy' ] ]
// stdout: 21 [ 'strip', 'TypeError', 'ERR_INVALID_ARG_TYPE', 'The "str" argument must be of type string. Received type number (5)' ]
// stdout: 22 [
// stdout:   'style',
// stdout:   'TypeError',
// stdout:   'ERR_INVALID_ARG_VALUE',
// stdout:   "The argument 'format' must be one of: 'reset', 'bold', 'dim', 'italic', 'underline', 'blink', 'inverse', 'hidden', 'strikethrough', 'doubleunderline', 'black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white', 'bgBlack', 'bgRed', 'bgGreen', 'bgYellow', 'bgBlue', 'bgMagenta', 'bgCyan', 'bgWhite', 'framed', 'overlined', 'gray', 'redBright', 'greenBright', 'yellowBright', 'blueBright', 'magentaBright', 'cyanBright', 'whiteBright', 'bgGray', 'bgRedBright', 'bgGreenBright', 'bgYellowBright', 'bgBlueBright', 'bgMagentaBright', 'bgCyanBright', 'bgWhiteBright'. Received 'nope'"
// stdout: ]
// stdout: 23 [ 'style', 'TypeError', 'ERR_INVALID_ARG_TYPE', 'The "text" argument must be of type string. Received type number (5)' ]
// stdout: 24 [ 'consumers', [ 'aé', [ 1, 2 ], 'x', 2, 3 ] ]
// stdout: 25 [ 'transcode', [ '3fe9', '3f', 'e900', 'c3a9' ] ]
// stdout: 26 [ 'transcode bad', 'Error', 'U_ILLEGAL_ARGUMENT_ERROR', 'Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]' ]
// stdout: 27 [ 'transcode bad', 'TypeError', 'ERR_INVALID_ARG_TYPE', `The "source" argument must be an instance of Buffer or Uint8Array. Received type string ('x')` ]
// stdout: 28 [
// stdout:   'v8',
// stdout:   [
// stdout:     'ff0f6f22016161034900490249046304e900e56540020322016d3b4902275a1002000000000000002c013a02220164440000000000001c4022017252220178032201625c0a01712201665c07040000c03f7b06',
// stdout:     "{\n  a: [ 1, <1 empty item>, 'é日' ],\n  m: Map(1) { 1 => Set(1) { 2n } },\n  d: 1970-01-01T00:00:00.007Z,\n  r: /x/gi,\n  b: <Buffer 71>,\n  f: Float32Array(1) [ 1.5 ]\n}"
// stdout:   ]
// stdout: ]
// stdout: 29 [ 'v8 bad', 'Error', undefined, '() => {} could not be cloned.' ]
// stdout: 30 [ 'v8 bad', 'Error', undefined, 'Unable to deserialize cloned data due to invalid or unsupported version.' ]
// stdout: 31 [
// stdout:   'hist',
// stdout:   [
// stdout:        4, 1, 100,
// stdout:     26.5, 2, 100,
// stdout:        0
// stdout:   ]
// stdout: ]
// stdout: 32 [ 'hist bad', 'RangeError', 'ERR_OUT_OF_RANGE', 'The value of "val" is out of range. It must be >= 1 && <= 9007199254740991. Received 0' ]
// stdout: 33 [ 'hist bad', 'RangeError', 'ERR_OUT_OF_RANGE', 'The value of "percentile" is out of range. It must be > 0 && <= 100. Received 0' ]
// stdout: 34 [
// stdout:   'cipher',
// stdout:   [
// stdout:     { mode: 'gcm', name: 'id-aes256-gcm', nid: 901, blockSize: 1, ivLength: 12, keyLength: 32 },
// stdout:     { mode: 'cbc', name: 'aes-128-cbc', nid: 419, blockSize: 16, ivLength: 16, keyLength: 16 },
// stdout:     undefined,
// stdout:     { mode: 'cbc', name: 'aes-256-cbc', nid: 427, blockSize: 16, ivLength: 16, keyLength: 32 }
// stdout:   ]
// stdout: ]
// stdout: 35 [ 'prime', [ true, true, false, true, true, 8 ] ]
// stdout: 36 [ 'dns', [ 'ENOTFOUND', 32, 'ENODATA', [ 'UV_UDP_REUSEADDR', 'dlopen', 'errno', 'signals', 'priority' ], 2, 2, 0, 1 ] ]
// stdout: 37 [
// stdout:   'net',
// stdout:   [
// stdout:     4, 0, 6, 0, 6, 6,
// stdout:     0, 0, 0, 0, 0, 0,
// stdout:     0
// stdout:   ]
// stdout: ]
// stdout: 38 [ 'blocklist', [ true, true, false, true, true, false, [ 'Subnet: IPv6 fc00::/7', 'Range: IPv4 10.0.0.1-10.0.0.9', 'Address: IPv4 1.2.3.4' ] ] ]
// stdout: 39 [ 'blocklist bad', 'Error', 'ERR_INVALID_ADDRESS', 'Invalid socket address' ]
// stdout: 40 [ 'blocklist bad', 'RangeError', 'ERR_OUT_OF_RANGE', 'The value of "prefix" is out of range. It must be >= 0 && <= 32. Received 33' ]
// stdout: 41 [ 'sockaddr', { address: '1.2.3.4', port: 80, family: 'ipv4', flowlabel: 0 } ]
// stdout: 42 [ 'vm', [ 6, 3, false, 5 ] ]
// stdout: 43 [
// stdout:   'tracing',
// stdout:   [
// stdout:     [
// stdout:       [ 'start', undefined, undefined ],
// stdout:       [ 'end', 1, undefined ],
// stdout:       [ 'start', undefined, undefined ],
// stdout:       [ 'end', undefined, undefined ],
// stdout:       [ 'asyncStart', 2, undefined ],
// stdout:       [ 'asyncEnd', 2, undefined ],
// stdout:       [ 'start', undefined, undefined ],
// stdout:       [ 'end', undefined, undefined ],
// stdout:       [ 'error', undefined, 'p' ],
// stdout:       [ 'asyncStart', undefined, 'p' ],
// stdout:       [ 'asyncEnd', undefined, 'p' ],
// stdout:       [ 'start', undefined, undefined ],
// stdout:       [ 'asyncStart', 3, undefined ],
// stdout:       'cb',
// stdout:       [ 'asyncEnd', 3, undefined ],
// stdout:       [ 'end', 3, undefined ],
// stdout:       [ 'start', undefined, undefined ],
// stdout:       [ 'error', undefined, 's' ],
// stdout:       [ 'end', undefined, 's' ]
// stdout:     ],
// stdout:     false
// stdout:   ]
// stdout: ]
// stdout: 44 [ 'stores', [ [ 9, 2, 1 ], undefined ] ]
// stdout: 45 [
// stdout:   'tracker',
// stdout:   [
// stdout:     [ { message: 'Expected the foo function to be executed 2 time(s) but was executed 1 time(s).', actual: 1, expected: 2, operator: 'foo' } ],
// stdout:     [ { thisArg: undefined, arguments: [ 1 ] } ]
// stdout:   ]
// stdout: ]
// stdout: 46 [
// stdout:   'sourcemap',
// stdout:   [
// stdout:     { generatedLine: 0, generatedColumn: 4, originalSource: 'a.js', originalLine: 0, originalColumn: 4, name: 'x' },
// stdout:     { generatedLine: 1, generatedColumn: 0, originalSource: 'a.js', originalLine: 1, originalColumn: 4, name: 'x' },
// stdout:     'b.js'
// stdout:   ]
// stdout: ]
// stdout: 47 [ 'http2', [ '000200000000', ':path', { enablePush: false } ] ]
// stdout: 48 [ 'http2 bad', 'RangeError', 'ERR_HTTP2_INVALID_PACKED_SETTINGS_LENGTH', 'Packed settings length must be a multiple of six' ]
// stdout: 49 [
// stdout:   'qs',
// stdout:   [ 'aA+', [Object: null prototype] { a: [ '%zz', '2' ], b: '�' }, 'a=1&a=true&a=&b=%C3%A9' ]
// stdout: ]
// stdout: 50 [
// stdout:   'builtin',
// stdout:   [
// stdout:     false, true,  true,
// stdout:     true,  false, false,
// stdout:     false, true,  true
// stdout:   ]
// stdout: ]
// stdout: 51 [ 'duplexPair', [ 'hello' ] ]
// stdout: 52 [ 'nodeModulePaths', [ '/a/node_modules/b/node_modules', '/a/node_modules', '/node_modules' ] ]
import util, { MIMEType, MIMEParams, parseEnv, parseArgs, styleText, getSystemErrorName, getSystemErrorMap, promisify, callbackify, inherits, debuglog, aborted, stripVTControlCharacters } from 'node:util';
import consumers from 'node:stream/consumers';
import { duplexPair, Readable } from 'node:stream';
import { transcode } from 'node:buffer';
import v8 from 'node:v8';
import { createHistogram } from 'node:perf_hooks';
import crypto from 'node:crypto';
import dns from 'node:dns'; import dnsp from 'node:dns/promises';
import os from 'node:os'; import constants from 'node:constants';
import net from 'node:net'; import vm from 'node:vm';
import { tracingChannel, channel } from 'node:diagnostics_channel';
import { AsyncLocalStorage } from 'node:async_hooks';
import { CallTracker } from 'node:assert';
import Module, { SourceMap } from 'node:module';
import { Console } from 'node:console';
import http2 from 'node:http2';
import qs from 'node:querystring';
import { isBuiltin } from 'node:module';
const out = [];
const t = async (name, f) => { try { out.push([name, await f()]); } catch (e) { out.push([name, e.name, e.code, e.message]); } };
await t('mime', () => { const m = new MIMEType('Text/HTML; charset="utf 8";x=y'); m.params.set('z', 'a"b'); return [String(m), m.essence, [...m.params.keys()], JSON.stringify(m)]; });
await t('mime bad', () => new MIMEType('a b'));
await t('mimeparams', () => { const p = new MIMEParams(); p.set('a', ''); return String(p); });
await t('env', () => parseEnv('A=1\nB="x\\ny" # c\nexport C=\'q\'\n#D=1\nE = f g '));
await t('args', () => parseArgs({ args: ['-ab', '--n=1', '--', 'x'], options: { a: { type: 'boolean', short: 'a' }, b: { type: 'boolean', short: 'b' }, n: { type: 'string', multiple: true } }, allowPositionals: true, tokens: true }));
await t('args neg', () => parseArgs({ args: ['--no-color'], options: { color: { type: 'boolean' } }, allowNegative: true }));
for (const args of [['-x'], ['--n'], ['--n', '-1'], ['pos'], ['--a=1'], ['--nope=1']]) await t('args ' + args, () => parseArgs({ args, options: { a: { type: 'boolean', short: 'a' }, n: { type: 'string' } } }));
await t('args bad', () => parseArgs({ options: { a: { type: 'x' } } }));
await t('errname', () => [getSystemErrorName(-2), getSystemErrorMap().get(-13), getSystemErrorMap().size]);
await t('errname bad', () => getSystemErrorName(2));
await t('errname bad2', () => getSystemErrorName('2'));
await t('promisify', () => promisify(5));
await t('callbackify', () => new Promise((r) => callbackify(async () => { throw null; })((e) => r([e.name, e.code, e.message]))));
await t('inherits', () => inherits({}, {}));
await t('aborted', () => aborted(1));
await t('strip', () => [stripVTControlCharacters('\u001b[31mx\u001b[0m\u001b]8;;u\u0007y'), ]);
await t('strip', () => stripVTControlCharacters(5));
await t('style', () => styleText('nope', 'x'));
await t('style', () => styleText('red', 5));
await t('consumers', async () => [await consumers.text(Readable.from(['a', 'é'])), await consumers.json(Readable.from(['[1,', '2]'])), (await consumers.buffer(Readable.from([Buffer.from('x')]))).toString(), (await consumers.arrayBuffer(Readable.from(['xy']))).byteLength, (await consumers.blob(Readable.from(['xyz']))).size]);
await t('transcode', () => [transcode(Buffer.from('€é'), 'utf8', 'latin1').toString('hex'), transcode(Buffer.from('€'), 'utf8', 'ascii').toString('hex'), transcode(Buffer.from('é'), 'utf8', 'utf16le').toString('hex'), transcode(Buffer.from('e9', 'hex'), 'latin1', 'utf8').toString('hex')]);
await t('transcode bad', () => transcode(Buffer.from('x'), 'b', 'c'));
await t('transcode bad', () => transcode('x', 'utf8', 'latin1'));
await t('v8', () => { const a = { a: [1, , 'é日'], m: new Map([[1, new Set([2n])]]), d: new Date(7), r: /x/gi, b: Buffer.from('q'), f: new Float32Array([1.5]) }; const s = v8.serialize(a); return [s.toString('hex'), util.inspect(v8.deserialize(s))]; });
await t('v8 bad', () => v8.serialize(() => {}));
await t('v8 bad', () => v8.deserialize(Buffer.from('00ff', 'hex')));
await t('hist', () => { const h = createHistogram(); for (const v of [1, 2, 3, 100]) h.record(v); return [h.count, h.min, h.max, h.mean, h.percentile(50), h.percentile(99), h.exceeds]; });
await t('hist bad', () => createHistogram().record(0));
await t('hist bad', () => createHistogram().percentile(0));
await t('cipher', () => ['aes-256-gcm', 'aes128', 'nope', 427].map((n) => crypto.getCipherInfo(n)));
await t('prime', () => [crypto.checkPrimeSync(97n), crypto.checkPrimeSync(2n ** 127n - 1n), crypto.checkPrimeSync(91n), crypto.checkPrimeSync(Buffer.from([7])), crypto.generatePrimeSync(32, { bigint: true }) > 2n ** 31n, crypto.generatePrimeSync(64).byteLength]);
await t('dns', () => [dns.NOTFOUND, dns.ADDRCONFIG, dnsp.NODATA, Object.keys(os.constants), constants.SIGINT, constants.ENOENT, constants.O_RDONLY, constants.RSA_PKCS1_PADDING]);
await t('net', () => ['1.2.3.4', '01.2.3.4', '::1', '1::2::3', 'fe80::1%eth0', '::ffff:1.2.3.4', '', '1.2.3', '256.1.1.1', ':::', '1.2.3.4::', '12345::', 'g::'].map((x) => net.isIP(x)));
await t('blocklist', () => { const b = new net.BlockList(); b.addAddress('1.2.3.4'); b.addRange('10.0.0.1', '10.0.0.9'); b.addSubnet('fc00::', 7, 'ipv6'); return [b.check('1.2.3.4'), b.check('10.0.0.5'), b.check('10.0.0.10'), b.check('fd00::1', 'ipv6'), b.check('::ffff:1.2.3.4', 'ipv6'), b.check('x'), b.rules]; });
await t('blocklist bad', () => new net.BlockList().addAddress('x'));
await t('blocklist bad', () => new net.BlockList().addSubnet('1.1.1.1', 33));
await t('sockaddr', () => new net.SocketAddress({ address: '1.2.3.4', port: 80 }).toJSON());
await t('vm', () => { vm.runInThisContext('var zz = 5'); return [new vm.Script('zz + 1').runInThisContext(), vm.compileFunction('return a + 1', ['a'])(2), vm.isContext({}), globalThis.zz]; });
await t('tracing', async () => { const log = [], c = tracingChannel('x'); const hs = {}; for (const k of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) hs[k] = (m) => log.push([k, m.result, m.error?.message]); c.subscribe(hs); c.traceSync((a) => a, {}, null, 1); await c.tracePromise(async () => 2, {}); await c.tracePromise(async () => { throw new Error('p'); }, {}).catch(() => {}); c.traceCallback((cb) => cb(null, 3), 0, {}, null, () => log.push('cb')); try { c.traceSync(() => { throw new Error('s'); }); } catch {} c.unsubscribe(hs); return [log, c.hasSubscribers]; });
await t('stores', () => { const s = new AsyncLocalStorage(), c = channel('st'); c.bindStore(s, (m) => m.x); let seen; c.runStores({ x: 9 }, function (a) { seen = [s.getStore(), a, this.q]; }, { q: 1 }, 2); return [seen, s.getStore()]; });
await t('tracker', () => { const k = new CallTracker(); const f = k.calls(function foo(a) { return a; }, 2); f(1); return [k.report().map(({ message, actual, expected, operator }) => ({ message, actual, expected, operator })), k.getCalls(f)]; });
await t('sourcemap', () => { const m = new SourceMap({ version: 3, sources: ['a.js'], names: ['x'], mappings: 'AAAA,IAAIA;AACA', file: 'b.js' }); return [m.findEntry(0, 5), m.findEntry(1, 0), m.payload.file]; });
await t('http2', () => [http2.getPackedSettings({ enablePush: false }).toString('hex'), http2.constants.HTTP2_HEADER_PATH, http2.getUnpackedSettings(Buffer.from('000200000000', 'hex'))]);
await t('http2 bad', () => http2.getUnpackedSettings(Buffer.from('00')));
await t('qs', () => [qs.unescapeBuffer('a%41+').toString(), qs.parse('a=%zz&b=%E9&a=2'), qs.stringify({ a: [1, true, null], b: 'é' })]);
await t('builtin', () => ['test', 'node:test', 'fs', 'node:fs', 'node:nope', 'sqlite', 'sea', 'wasi', 'path/win32'].map(isBuiltin));
await t('duplexPair', async () => { const [a, b] = duplexPair({ encoding: 'utf8' }); a.end('hello'); const got = []; for await (const c of b) got.push(c); b.end(); return got; });
await t('nodeModulePaths', () => Module._nodeModulePaths('/a/node_modules/b'));
for (const [i, x] of out.entries()) console.log(i, util.inspect(x, { depth: 9, breakLength: 200 }));
