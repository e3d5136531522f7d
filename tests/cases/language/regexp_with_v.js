// SPDX-License-Identifier: Apache-2.0
// With the flag v, what a class must escape may stand by itself outside of classes.
// outcome: ok
// value: [true,true,true,true,true,["[/]","[!!]","[-]","[(]","]","\\-"]]
const refused = (pattern) => {
	try {
		return !new RegExp(pattern, 'v');
	} catch (error) {
		return error instanceof SyntaxError;
	}
};
[/^\d{4}-\d{2}--x$/v.test('2024-02--x'), /a\/b/v.test('a/b') && new RegExp('/>', 'v').test('/>'), /&&!!##%%,,::;;<<==>>@@``~~/v.test('&&!!##%%,,::;;<<==>>@@``~~'),
	/[\w--\d]-[\p{L}&&\p{ASCII}]/v.test('a-b'), !/[\w--\d]-/v.test('1-'), ['[/]', '[!!]', '[-]', '[(]', ']', '\\-'].filter(refused)];
