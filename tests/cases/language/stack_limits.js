// SPDX-License-Identifier: Apache-2.0
// It also works with a small stack.
// args: --stack 64KiB
// outcome: ok
// value: ["RangeError","RangeError","SyntaxError|RangeError","RangeError"]
const tries = [() => (function f() { f() })(), () => JSON.parse('['.repeat(1e5)), () => eval('('.repeat(1e5)),
	() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a) }];
tries.map((action, i) => {
	try {
		action();
	} catch (error) {
		return i === 2 && /^(SyntaxError|RangeError)$/.test(error.name) ? 'SyntaxError|RangeError' : error.name;
	}
});
