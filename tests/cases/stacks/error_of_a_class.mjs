// SPDX-License-Identifier: Apache-2.0
// The position of an error is its `new`, not the constructors of its classes.
// outcome: threw
// error.name: NotFound
// frames: load error_of_a_class.mjs:15:8 | <anonymous> error_of_a_class.mjs:21:1
// stdout: load,<anonymous>
// stdout: ReflectedError
// stdout: All promises were rejected
class HttpError extends Error {
	constructor(status, message, options) { super(message, options); this.status = status; }
}
class NotFound extends HttpError { constructor(what) { super(404, what + ' is not there'); } }
class Plain extends NotFound {}
function load(Kind) {
	throw new Kind('it');
}
const names = (error) => error.stack.split('\n').slice(1).filter(Boolean).map((line) => line.trim().split(' ')[1]);
try { load(Plain); } catch (error) { console.log(String(names(error).map((name) => name.includes(':') ? '<anonymous>' : name))); }
console.log(Reflect.construct(Error, [''], class ReflectedError {}).constructor.name);
await Promise.any([Promise.reject(1)]).catch((error) => console.log(error.message));
load(NotFound);
