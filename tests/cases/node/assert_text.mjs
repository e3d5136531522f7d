// SPDX-License-Identifier: Apache-2.0
// assert and assert.ok show what was evaluated, as it is in the file, and how texts differ.
// args: --node
// outcome: ok
// stdout: ERR_ASSERTION true The expression evaluated to a falsy value:
// stdout:
// stdout:   assert(0 == 1)
// stdout: |
// stdout: ERR_ASSERTION true The expression evaluated to a falsy value:
// stdout:
// stdout:   assert.ok(typeof 123 === 'string')
// stdout: |
// stdout: ERR_ASSERTION true The expression evaluated to a falsy value:
// stdout:
// stdout:   ok(a.b.includes(5), undefined)
// stdout: |
// stdout: ERR_ASSERTION true The expression evaluated to a falsy value:
// stdout:
// stdout:   assert.strict.ok(null, undefined)
// stdout: |
// stdout: ERR_ASSERTION true The expression evaluated to a falsy value:
// stdout:
// stdout:   assert(/[)/]\)/.test('x') || `${[')'].length > 1 ? '`' : ''}`, undefined)
// stdout: |
// stdout: ERR_ASSERTION false own|
// stdout: ERR_ASSERTION true The expression evaluated to a falsy value:
// stdout:
// stdout:   assert(
// stdout:   a['c)'] === 4 && // not ")"
// stdout:   a.b.length === 2, /* nor ) */
// stdout:   )
// stdout: |
// stdout: ERR_ASSERTION true The expression evaluated to a falsy value:
// stdout:
// stdout:   assert.ok(
// stdout:   	[
// stdout:   		1,
// stdout:   	].length === 0
// stdout:   )
// stdout: |
// stdout: ERR_ASSERTION true No value argument passed to `assert.ok()`|
// stdout: ERR_ASSERTION true Expected values to be strictly equal:
// stdout: + actual - expected
// stdout:
// stdout: + 'a\nb\nc'
// stdout: - 'a\nb\nd'
// stdout:          ^|
// stdout: ERR_ASSERTION true Expected values to be strictly equal:
// stdout: + actual - expected
// stdout:
// stdout: + 'hello world'
// stdout: - 'hello there'
// stdout:          ^|
// stdout: ERR_ASSERTION true Expected values to be strictly equal:
// stdout: + actual - expected
// stdout:
// stdout: + 'short'
// stdout: - 'other'|
// stdout: ERR_ASSERTION true Expected values to be strictly equal:
// stdout:
// stdout: 123456789 !== 'a'
// stdout: |
// stdout: ERR_ASSERTION true Expected values to be strictly equal:
// stdout: + actual - expected
// stdout:
// stdout: + undefined
// stdout: - 'a text that is long enough'|
// stdout: ERR_ASSERTION true Expected values to be strictly deep-equal:
// stdout: + actual - expected
// stdout:
// stdout: + 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
// stdout: - 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'|
import assert, { ok } from 'node:assert';
const said = (action) => {
	try {
		action();
	} catch (error) {
		console.log(`${error.code} ${error.generatedMessage} ${error.message}|`);
	}
};
const a = { b: [1, 2], 'c)': 3 };
said(() => assert(0 == 1));
said(() => assert.ok(typeof 123 === 'string'));
said(() => ok(a.b.includes(5), undefined));
said(() => assert.strict.ok(null, undefined));
said(() => assert(/[)/]\)/.test('x') || `${[')'].length > 1 ? '`' : ''}`, undefined)); said(() => assert(false, 'own'));
said(() => assert(
	a['c)'] === 4 && // not ")"
		a.b.length === 2, /* nor ) */
));
said(() => {
	if (true)
		assert.ok(
			[
				1,
			].length === 0
		);
});
said(() => assert());
said(() => assert.strictEqual('a\nb\nc', 'a\nb\nd'));
said(() => assert.strictEqual('hello world', 'hello there'));
said(() => assert.strictEqual('short', 'other'));
said(() => assert.strictEqual(123456789, 'a'));
said(() => assert.strictEqual(undefined, 'a text that is long enough'));
said(() => assert.deepStrictEqual('x'.repeat(60), 'x'.repeat(50)));
