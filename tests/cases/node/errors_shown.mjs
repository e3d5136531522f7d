// SPDX-License-Identifier: Apache-2.0
// How console.log shows the name of an error, as in Node.
// args: --node
// outcome: ok
// stdout: Bad [Error]: x
// stdout:     at here
// stdout: FooError: x
// stdout:     at here
// stdout: Inner [ValidationError]: y
// stdout:     at here
// stdout: Custom: z
// stdout:     at here
// stdout: Error [CustomError]: z
// stdout:     at here
// stdout: TypeError: t
// stdout:     at here {
// stdout:   code: 'E1'
// stdout: }
// stdout: Object <[Object: null prototype] {}> {} Object <[Object: null prototype] {}> { a: 1 }
// stdout: AbortError: This operation was aborted DOMException [AbortError]: m
const shown = (error) => console.log(typeof error === 'object' && error.stack ? (error.stack = error.stack.split('\n    at ')[0] + '\n    at here', error) : error);
class Bad extends Error {}
class FooError extends Error {}
class Named extends TypeError {
	constructor(message) {
		super(message);
		this.name = 'ValidationError';
	}
}
class Inner extends Named {}
for (const error of [new Bad('x'), new FooError('x'), new Inner('y'), Object.assign(new Error('z'), { name: 'Custom' }), Object.assign(new Error('z'), { name: 'CustomError' }), Object.assign(new TypeError('t'), { code: 'E1' })])
	shown(error);
console.log(Object.create(Object.create(null)), Object.setPrototypeOf({ a: 1 }, Object.create(null)));
console.log(String(AbortSignal.abort().reason), (await import('node:util')).inspect(new DOMException('m', 'AbortError')).split('\n')[0]);
