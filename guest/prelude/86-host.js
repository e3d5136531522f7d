// SPDX-License-Identifier: Apache-2.0
// The `host` object: the host functions that the embedder gave this program. It exists only if there are any.
// Synchronous ones are native. Each call of an asynchronous one is an operation, and returns a promise.

const HOST_CALL = 2;
const HOST_RETURNED = 1;

function startHostCall(index, args, resolve, reject) {
	const text = stringify(args);
	if (typeof text !== 'string') throw new TypeError('the arguments have no JSON');
	beginOperation(HOST_CALL, index + '\n' + text, (kind, bytes) => {
		holdProgram(-1);
		// If the engine cannot parse the result, for example because it is too deeply nested, only this call fails.
		try {
			const answer = textOf(bytes);
			if (kind !== HOST_RETURNED) reject(new Error(answer));
			else resolve(answer === '' ? undefined : parseJson(answer));
		} catch (error) {
			reject(error);
		}
	});
	holdProgram(1);
}

function makeAsynchronous(name, index) {
	const call = (...args) => new Promise((resolve, reject) => startHostCall(index, args, resolve, reject));
	defineProperty(call, 'name', { __proto__: null, value: name, configurable: true });
	return call;
}

function exposeHost(list) {
	const host = {};
	for (let i = 0; i < list.length; i++) {
		const name = list[i][0];
		const value = list[i][1] ? makeAsynchronous(name, list[i][2]) : hostFunction(name, list[i][2]);
		defineProperty(host, name, { __proto__: null, value: freeze(value), enumerable: true });
	}
	defineProperty(host, Symbol.toStringTag, { __proto__: null, value: 'host' });
	expose('host', freeze(host), false);
}
