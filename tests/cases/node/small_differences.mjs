// SPDX-License-Identifier: Apache-2.0
// Variables of the environment are strings, warnings are events, an iterator of lines continues where it was left.
// args: --node --env A=1
// outcome: ok
// value: {"env":["2","undefined",true,["A","B"],null],"format":["/a/b.c","/x","b.","c/d"],"lines":["a",["b","c"]],"warnings":[["DeprecationWarning","old","DEP1"],["Custom","text",null]]}
// stderr: (node:1) [DEP1] DeprecationWarning: old
// stderr: (node:1) Custom: text
import readline from 'node:readline';
import path from 'node:path';
import { deprecate } from 'node:util';
import { Readable } from 'node:stream';

process.env.A = 2;
process.env.B = undefined;
const env = [process.env.A, process.env.B, 'B' in process.env, Object.keys(process.env)];
delete process.env.B;
env.push(process.env.B);

const lines = readline.createInterface({ input: Readable.from(['a\nb\nc']) });
const first = (await lines[Symbol.asyncIterator]().next()).value, rest = [];
for await (const line of lines)
	rest.push(line);

const warnings = [];
process.on('warning', ({ name, message, code }) => warnings.push([name, message, code]));
const old = deprecate(() => {}, 'old', 'DEP1');
old();
old();
process.emitWarning('text', 'Custom');
await new Promise((resolve) => setTimeout(resolve, 1));
export default { env, format: [path.format({ dir: '/a', name: 'b', ext: 'c' }), path.format({ root: '/', base: 'x' }), path.format({ name: 'b', ext: '.' }), path.format({ dir: 'c', base: 'd', ext: '.e' })], lines: [first, rest], warnings };
