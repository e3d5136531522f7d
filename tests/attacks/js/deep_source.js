// expect: threw stack deadline memory bad_program
// SPDX-License-Identifier: Apache-2.0
for (const [open, close] of [['[', ']'], ['(', ')'], ['{', '}'], ['a?b:', 'c'], ['`${', '}`'], ['-', '1'], ['function f(){', '}'], ['x=>', '1'], ['if(1)', ';'], ['new ', 'a']])
	try { eval(open.repeat(3e5) + close.repeat(3e5)) } catch (e) { if (!(e instanceof RangeError || e instanceof SyntaxError)) throw e }
throw new Error('all were refused')
