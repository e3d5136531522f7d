// SPDX-License-Identifier: Apache-2.0
// Errors say what cannot be iterated or destructured, what was declared twice, and which language has types.
// outcome: ok
// stdout: o.list is not iterable
// stdout: list is not iterable
// stdout: undefined is not iterable
// stdout: Cannot destructure property 'a' of 'undefined' as it is undefined.
// stdout: Cannot destructure property 'a' of 'null' as it is null.
// stdout: Cannot destructure property 'a' of 'undefined' as it is undefined.
// stdout: Identifier 'twice' has already been declared
// stdout: Identifier 'twice' has already been declared
// stdout: Identifier 'f' has already been declared
// stdout: Invalid regular expression: /(/: Unterminated group
// stdout: Invalid regular expression: /(/: Unterminated group
// stdout: types need the ending .ts, or --lang ts
// stdout: types need the ending .ts, or --lang ts
// stdout: types need the ending .ts, or --lang ts
const o = {}, nothing = null;
const said = (action) => {
	try {
		action();
	} catch (error) {
		console.log(error.message);
	}
};
said(() => { for (const item of o.list) item(); });
said(() => {
	let list;
	return [...list];
});
said(() => new Map([undefined].map((x) => { const [a] = x; return a; })) && 0);
said(() => {
	const { a } = o.inner;
	return a;
});
said(() => {
	const { a } = nothing;
	return a;
});
said(() => (({ a }) => a)());
said(() => eval('let twice = 1; let twice = 2'));
said(() => eval('{ let twice = 1; var twice = 2 }'));
said(() => eval('{ let f = 1; function f() {} }'));
said(() => eval('const r = /(/;'));
said(() => new RegExp('('));
said(() => eval('const x: number = 1'));
said(() => eval('function f(a: number) {}'));
said(() => eval('((a, b?: string) => 1)'));
