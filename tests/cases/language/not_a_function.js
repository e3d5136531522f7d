// SPDX-License-Identifier: Apache-2.0
// The message names the expression that is no function, constructor or iterable.
// outcome: ok
// value: ["o.foo is not a function","o.a.b is not a function","o.a is not a constructor","o.a is not iterable","o.a.b is not iterable","o.a is not a function","o.k is not a function","undefined is not a function","f is not a function","this.#p is not a function","o.make(...).x is not a function","1 is not a function","number 1 is not iterable (cannot read property Symbol(Symbol.iterator))","x is not a function","o.q is not a function","missing is not a function","o.a.b is not a function","this.zip is not a function"]
const o = { a: { b: 1 }, make() { return this } }, missing = 5;
const messages = [];
const attempts = [() => o.foo(), () => o.a.b(), () => new o.a(), () => { for (const x of o.a); }, () => [...o.a.b],
	() => o['a'](1, 2), () => o.k(...[1]), () => (o.a.b ? o.q : o.z)(), () => { let f = 3; f() },
	() => { class A { #p = 1; m() { this.#p() } } new A().m() }, () => o.make(1, [2]).x(), () => [1].map(o.a.b),
	() => new Set(o.a.b), () => ((x) => x())(4), () => o?.q(), () => missing(),
	() => o
		.a
		.b(1), function () { this.zip() }];
for (const attempt of attempts) try { attempt.call({}); messages.push('none') } catch (error) { messages.push(error.message) }
messages;
