// SPDX-License-Identifier: Apache-2.0
// process.stdout and process.stderr are writable streams.
// args: --node
// outcome: ok
// stdout: true true true function
// stdout: x
// stdout: true 0 false
// stdout: piped
// stdout: p1
// stdout: p2
// stdout: unpiped
// stdout: c1
// stdout: c2
// stdout: TypeError ERR_STREAM_NULL_VALUES May not write null values to stream
// stdout: hi
// stdout: console 4
// stdout: cb
// stdout: written
// stdout: end
// stderr: end cb
// stderr: finish
import { Writable, Readable, pipeline } from 'node:stream';
import { Console } from 'node:console';
console.log(process.stdout instanceof Writable, process.stdout === process.stdout, process.stderr instanceof Writable, typeof process.stdout.on);
console.log(process.stdout.write('x\n'), process.stdout.writableLength, process.stdout.writableEnded);
process.stdout.on('pipe', () => console.log('piped')).on('unpipe', () => console.log('unpiped')).on('drain', () => console.log('drain'));
Readable.from(['p1\n', Buffer.from('p2\n')]).pipe(process.stdout, { end: false });
setTimeout(() => {
  process.stdout.cork(); process.stdout.write('c1\n'); process.stdout.write('c2\n'); process.stdout.uncork();
  try { process.stdout.write(null); } catch (e) { console.log(e.name, e.code, e.message); }
  process.stdout.write('68690a', 'hex');
  new Console(process.stdout, process.stderr).log('console %d', 4);
  process.stdout.write('cb\n', () => console.log('written'));
  setTimeout(() => { process.stdout.on('finish', () => process.stderr.write('finish\n')); process.stdout.end('end\n', () => process.stderr.write('end cb\n')); }, 5);
}, 5);
