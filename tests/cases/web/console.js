// SPDX-License-Identifier: Apache-2.0
// The methods of the console: formats, groups, tables, counters, and their output streams.
// outcome: ok
// stdout: a|42|42|1.5|{"a":1}|%||%x left
// stdout: -0 1n Symbol(a) { a: [Object] } [ 1, [Array] ]
// stdout: custom more { y: 1 }
// stdout: NaN 5n NaN 7n
// stdout: %
// stdout: %%
// stdout: %s
// stdout: 100%
// stdout: a1b%sc
// stdout: % x
// stdout: [ 1, { a: 2 }, [length]: 2 ]
// stdout: { a: { b: { c: [Object] } } }
// stdout:
// stdout:
// stdout: 1 2 [ 3 ] y
// stdout: z
// stdout: info
// stdout: debug
// stdout: { a: [Object] }
// stdout: {
// stdout:   a: { b: { c: { d: 1 } } }
// stdout: }
// stdout: group
// stdout:   in
// stdout:   ner
// stdout:     { a: 1 }
// stdout: out
// stdout: ┌─────────┬───┬───┐
// stdout: │ (index) │ 0 │ 1 │
// stdout: ├─────────┼───┼───┤
// stdout: │ 0       │ 1 │ 2 │
// stdout: │ 1       │ 3 │ 4 │
// stdout: └─────────┴───┴───┘
// stdout: ┌─────────┬───┬─────┬──────┐
// stdout: │ (index) │ a │ b   │ c    │
// stdout: ├─────────┼───┼─────┼──────┤
// stdout: │ 0       │ 1 │ 'x' │      │
// stdout: │ 1       │ 2 │     │ true │
// stdout: └─────────┴───┴─────┴──────┘
// stdout: ┌───────────────────┬─────┬──────────┐
// stdout: │ (iteration index) │ Key │ Values   │
// stdout: ├───────────────────┼─────┼──────────┤
// stdout: │ 0                 │ 'a' │ 1        │
// stdout: │ 1                 │ 'b' │ { c: 2 } │
// stdout: └───────────────────┴─────┴──────────┘
// stdout: ┌───────────────────┬────────┐
// stdout: │ (iteration index) │ Values │
// stdout: ├───────────────────┼────────┤
// stdout: │ 0                 │ 1      │
// stdout: │ 1                 │ 2      │
// stdout: └───────────────────┴────────┘
// stdout: ┌─────────┬───┬────────┐
// stdout: │ (index) │ x │ Values │
// stdout: ├─────────┼───┼────────┤
// stdout: │ 0       │   │ 1      │
// stdout: │ 1       │   │ 'a'    │
// stdout: │ 2       │ 1 │        │
// stdout: └─────────┴───┴────────┘
// stdout: ┌─────────┬───┐
// stdout: │ (index) │ b │
// stdout: ├─────────┼───┤
// stdout: │ 0       │ 2 │
// stdout: └─────────┴───┘
// stdout: ┌─────────┬────────┐
// stdout: │ (index) │ c      │
// stdout: ├─────────┼────────┤
// stdout: │ r1      │ '日本' │
// stdout: │ r2      │ 2      │
// stdout: └─────────┴────────┘
// stdout: text
// stdout: default: 1
// stdout: x: 1
// stdout: default: 2
// stdout: default: 1
// stdout: true log function
// stdout: without this
// stdout: { nested: [Object] }
// stderr:     error
// stderr: Warning: Count for 'none' does not exist
// stderr: Warning: No such label 'none' for console.time()
// stderr: Warning: Label 't' already exists for console.time()
// stderr: Assertion failed
// stderr: Assertion failed: text 1
// stderr: Assertion failed: { a: 1 }
// stderr: warn Foo { a: 1 }
class Foo { constructor() { this.a = 1; } }
console.log('%s|%d|%i|%f|%j|%%|%c|%x', 'a', '42', '42.9', '1.5', { a: 1 }, 'css', 'left');
console.log('%s %s %s %s %s', -0, 1n, Symbol('a'), { a: { b: 1 } }, [1, [2]]);
console.log('%s', { toString() { return 'custom'; } }, 'more', { y: 1 });
console.log('%d %d %d %i', {}, 5n, Symbol('a'), 7n);
for (const text of ['%', '%%', '%s', '100%'])
	console.log(text);
console.log('a%sb%sc', 1);
console.log('%% %s', 'x');
console.log('%o', [1, { a: 2 }]);
console.log('%O', { a: { b: { c: { d: 1 } } } });
console.log();
console.log('');
console.log(1, '2', [3], 'y\nz');
console.info('info');
console.debug('debug');
console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 });
console.dir({ a: { b: { c: { d: 1 } } } }, { depth: null });
console.group('group');
console.log('in\nner');
console.groupCollapsed();
console.log({ a: 1 });
console.error('error');
console.groupEnd();
console.groupEnd();
console.groupEnd();
console.log('out');
console.table([[1, 2], [3, 4]]);
console.table([{ a: 1, b: 'x' }, { a: 2, c: true }]);
console.table(new Map([['a', 1], ['b', { c: 2 }]]));
console.table(new Set([1, 2]));
console.table([1, 'a', { x: 1 }]);
console.table([{ a: 1, b: 2 }], ['b']);
console.table({ r1: { c: '日本' }, r2: { c: 2 } });
console.table('text');
console.count();
console.count('x');
console.count();
console.countReset();
console.count();
console.countReset('none');
console.timeEnd('none');
console.time('t');
console.time('t');
console.assert(true, 'not shown');
console.assert(false);
console.assert(false, 'text %s', 1);
console.assert(false, { a: 1 });
console.warn('warn', new Foo());
console.log(console.log === console.log, console.log.name, typeof console.table);
const { log } = console;
log('without this');
let nested = {};
for (let i = 0; i < 2000; i++)
	nested = { nested };
console.log('%s', nested);
