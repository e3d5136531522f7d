// SPDX-License-Identifier: Apache-2.0
// An object's own method for inspection is used, and its exceptions reach the program.
// args: --node
// outcome: ok
// value: ["<Buffer 68 69>","{ b: <Buffer 01> }","Money<5>","[ Money<5>, { deep: Money<5> } ]","{ x: 1 }","{\n  text: two\n    lines\n}","caught boom","Sub { a: 1 }","plain","1 Money<5>","-1","null"]
import { inspect } from 'node:util';
const custom = Symbol.for('nodejs.util.inspect.custom'), seen = [];
class Money { #n = 5; [custom](depth, options, show) { return `Money<${show(this.#n, options)}>`; } }
const show = (value, options) => seen.push(inspect(value, options));
show(Buffer.from('hi'));
show({ b: Buffer.from([1]) });
show(new Money());
show([new Money(), { deep: new Money() }]);
show({ [custom]: () => ({ x: 1 }) });
show({ text: { [custom]: () => 'two\n  lines' } });
try { inspect({ [custom]() { throw new Error('boom'); } }); } catch (error) { seen.push('caught ' + error.message); }
show(new (class Sub { a = 1; [custom]() { return this; } })());
seen.push(inspect({ [custom]: () => 'changed', get [Symbol.toStringTag]() { return 'x'; } }, { customInspect: false }).includes('changed') ? 'asked' : 'plain');
const log = console.log; let printed; { const { format } = await import('node:util'); printed = format('%d %O', 1, new Money()); }
seen.push(printed);
show({ [custom]: (depth) => String(depth) }, { depth: -1 });
show({ [custom]: (depth) => String(depth) }, { depth: null });
export default seen;
