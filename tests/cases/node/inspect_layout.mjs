// SPDX-License-Identifier: Apache-2.0
// Options of inspect that change the layout, as in Node.
// args: --node
// outcome: ok
// value: ["{ aaaaaaaaaa: 'bbbbbbbbbbbbbbb', cccccccccc: 'dddddddddddddd', eeeeeeeeee: 'ffffffffffffff' }","{\n  a: {\n    b: {\n      c: 1\n    }\n  },\n  d: [\n    1,\n    2\n  ]\n}","{\n  a: {\n    b: { c: {} }\n  },\n  d: [ 1, 2 ]\n}","{ a: 'xxxx'... 16 more characters }","Set(3) { 1, ... 2 more items }","[ ... 3 more items ]","{ a: 2, b: 1 }","{ b: 1, a: 2 }","ReadableStream { locked: false, state: 'readable', supportsBYOB: false }","styled 1","x","\u001b[31mx\u001b[39m"]
import { inspect, styleText } from 'node:util';
const wide = { aaaaaaaaaa: 'bbbbbbbbbbbbbbb', cccccccccc: 'dddddddddddddd', eeeeeeeeee: 'ffffffffffffff' };
const styled = { [inspect.custom]: (depth, { stylize, breakLength }) => stylize('styled', 'special') + ' ' + (breakLength > 70 ? 1 : 0) };
export default [inspect(wide, { breakLength: Infinity }), inspect({ a: { b: { c: 1 } }, d: [1, 2] }, { compact: false }), inspect({ a: { b: { c: {} } }, d: [1, 2] }, { compact: 1 }),
	inspect({ a: 'x'.repeat(20) }, { maxStringLength: 4 }), inspect(new Set([1, 2, 3]), { maxArrayLength: 1 }), inspect([1, 2, 3], { maxArrayLength: 0 }),
	inspect({ b: 1, a: 2 }, { sorted: true }), inspect({ b: 1, a: 2 }, { sorted: (a, b) => a < b ? 1 : -1 }), inspect(new ReadableStream()), inspect(styled),
	styleText('red', 'x'), styleText('red', 'x', { validateStream: false })];
