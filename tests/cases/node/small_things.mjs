// SPDX-License-Identifier: Apache-2.0
// Small things that programs for Node rely on.
// args: --node
// outcome: ok
// stdout: a
// stdout: b
// stdout: c
// stdout: d
// value: ["slept","soon",3,2,"latin1: \u00e9\u0000",true,"ADDRCONFIG","MODULE"]
import { promisify } from 'node:util';
import { writeSync, write } from 'node:fs';
import { setTimeout as global } from 'node:timers';
import { ADDRCONFIG } from 'node:dns';
const seen = [await promisify(setTimeout)(1, 'slept'), await promisify(setImmediate)('soon'), await promisify(global)(1, 3)];
writeSync(1, 'a\n');
writeSync(1, Buffer.from('b\n'));
seen.push(await new Promise((resolve) => write(1, 'c\n', (error, count) => resolve(count))));
process.stdout.write('d\n');
seen.push('latin1: ' + Buffer.from('\u00e9\u0000', 'latin1').toString('latin1'));
const some = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i));
seen.push(['hex', 'base64', 'base64url', 'latin1'].every((kind) => Buffer.from(some.toString(kind), kind).equals(some)) && Buffer.from('zz', 'hex').length === 0 &&
	Buffer.from('abc', 'hex').length === 1 && Buffer.from('YQ=!=Yg', 'base64').toString() === 'a' && Buffer.from('YWI', 'base64').toString() === 'ab' && Buffer.from('\ud800').toString('hex') === 'efbfbd' &&
	Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff]).toString() === '\ufeffa\ufffd' && Buffer.alloc(5).fill('ab').toString() === 'ababa' && Buffer.alloc(3).write('\u00e9\u00e9') === 2 && Buffer.byteLength('\u00e9') === 2);
seen.push(ADDRCONFIG > 0 && 'ADDRCONFIG', await import('./nowhere.mjs').catch((error) => error.code.slice(4, 10)));
export default seen;
