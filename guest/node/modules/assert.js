// SPDX-License-Identifier: Apache-2.0
const { inspect, isDeepStrictEqual, _isDeepEqual: isDeepEqual } = require('util');

class AssertionError extends Error {
	constructor({ message, actual, expected, operator }) {
		super(message === undefined ? 'Expected ' + operator + ':\n\n' + inspect(actual) + '\n\nshould be\n\n' + inspect(expected) : String(message));
		this.name = 'AssertionError';
		this.code = 'ERR_ASSERTION';
		this.generatedMessage = message === undefined;
		Object.assign(this, { actual, expected, operator });
	}
}

function check(good, actual, expected, message, operator, generated) {
	if (good)
		return;
	if (message instanceof Error)
		throw message;
	const error = new AssertionError({ message: message ?? generated, actual, expected, operator });
	error.generatedMessage = message === undefined;
	throw error;
}
const show = (value) => inspect(value);
const assert = (value, message) => check(value, value, true, message, '==', 'The expression evaluated to a falsy value: ' + show(value));
assert.ok = (value, message) => assert(value, message);
assert.AssertionError = AssertionError;
assert.fail = (message = 'Failed') => check(false, undefined, undefined, message, 'fail');
assert.equal = (a, b, m) => check(a == b || (a !== a && b !== b), a, b, m, '==', show(a) + ' == ' + show(b)); // eslint-disable-line eqeqeq
assert.notEqual = (a, b, m) => check(a != b && (a === a || b === b), a, b, m, '!=', show(a) + ' != ' + show(b)); // eslint-disable-line eqeqeq
assert.strictEqual = (a, b, m) => check(Object.is(a, b), a, b, m, 'strictEqual', 'Expected values to be strictly equal:\n\n' + show(a) + ' !== ' + show(b) + '\n');
assert.notStrictEqual = (a, b, m) => check(!Object.is(a, b), a, b, m, 'notStrictEqual', 'Expected "actual" to be strictly unequal to: ' + show(b));
assert.deepEqual = (a, b, m) => check(isDeepEqual(a, b), a, b, m, 'deepEqual', 'Expected values to be loosely deep-equal:\n\n' + show(a) + '\n\nshould loosely deep-equal\n\n' + show(b));
assert.notDeepEqual = (a, b, m) => check(!isDeepEqual(a, b), a, b, m, 'notDeepEqual', 'Expected "actual" not to be loosely deep-equal to: ' + show(b));
assert.deepStrictEqual = (a, b, m) => check(isDeepStrictEqual(a, b), a, b, m, 'deepStrictEqual', 'Expected values to be strictly deep-equal:\n\n' + show(a) + '\n\nshould equal\n\n' + show(b));
assert.notDeepStrictEqual = (a, b, m) => check(!isDeepStrictEqual(a, b), a, b, m, 'notDeepStrictEqual', 'Expected "actual" not to be strictly deep-equal to: ' + show(b));
assert.match = (text, pattern, m) => check(typeof text === 'string' && pattern.test(text), text, pattern, m, 'match', 'The input did not match the regular expression ' + show(pattern) + '. Input:\n\n' + show(text));
assert.doesNotMatch = (text, pattern, m) => check(!pattern.test(text), text, pattern, m, 'doesNotMatch', 'The input was expected to not match the regular expression ' + show(pattern));
assert.ifError = (value) => {
	if (value !== null && value !== undefined)
		throw value instanceof Error ? value : new AssertionError({ message: 'ifError got unwanted exception: ' + show(value), actual: value, operator: 'ifError' });
};

function fits(error, expected, message) {
	if (expected === undefined || typeof expected === 'string')
		return;
	if (expected instanceof RegExp)
		return check(expected.test(String(error)), error, expected, message, 'throws', 'The input did not match the regular expression ' + show(expected) + '. Input:\n\n' + show(String(error)));
	if (typeof expected === 'function') {
		if (expected.prototype !== undefined && error instanceof expected)
			return;
		if (Error.prototype.isPrototypeOf(expected.prototype) || expected === Error)
			throw error;
		return check(expected.call({}, error) === true, error, expected, message, 'throws', 'The validation function is expected to return "true"');
	}
	for (const key of Object.keys(expected).concat(expected instanceof Error ? ['name', 'message'] : [])) {
		const wanted = expected[key];
		const good = wanted instanceof RegExp && typeof error[key] === 'string' ? wanted.test(error[key]) : isDeepStrictEqual(error[key], wanted);
		check(good, error, expected, message, 'throws', key + ' of the error: expected ' + show(wanted) + ', got ' + show(error?.[key]));
	}
}
assert.throws = (action, expected, message) => {
	let error, threw = false;
	try {
		action();
	} catch (caught) {
		error = caught;
		threw = true;
	}
	check(threw, undefined, expected, typeof expected === 'string' ? expected : message, 'throws', 'Missing expected exception.');
	fits(error, expected, message);
};
assert.doesNotThrow = (action, expected, message) => {
	try {
		action();
	} catch (error) {
		check(false, error, expected, typeof expected === 'string' ? expected : message, 'doesNotThrow', 'Got unwanted exception.\nActual message: "' + error?.message + '"');
	}
};
assert.rejects = async (promise, expected, message) => {
	let error, threw = false;
	try {
		await (typeof promise === 'function' ? promise() : promise);
	} catch (caught) {
		error = caught;
		threw = true;
	}
	check(threw, undefined, expected, typeof expected === 'string' ? expected : message, 'rejects', 'Missing expected rejection.');
	fits(error, expected, message);
};
assert.doesNotReject = async (promise, expected, message) => {
	try {
		await (typeof promise === 'function' ? promise() : promise);
	} catch (error) {
		check(false, error, expected, message, 'doesNotReject', 'Got unwanted rejection.\nActual message: "' + error?.message + '"');
	}
};

// Counts calls of functions, and says which were called too rarely or too often.
class CallTracker {
	#tracked = new Map();
	#of(fn) { return this.#tracked.get(fn) ?? (() => { throw Object.assign(new TypeError('The argument \'tracked\' is not a tracked function. Received ' + show(fn)), { code: 'ERR_INVALID_ARG_VALUE' }); })(); }
	calls(fn, expected = 1) {
		if (typeof fn === 'number')
			[fn, expected] = [undefined, fn];
		const { needs } = require('internal/errors');
		needs.integer(expected, 'expected', 1, 2 ** 32 - 1);
		const action = fn ?? (() => {}), record = { calls: [], expected, operator: action.name || 'calls', stack: new Error() };
		const tracked = new Proxy(action, { apply(target, thisArg, args) {
			record.calls.push({ thisArg, arguments: args });
			return Reflect.apply(target, thisArg, args);
		} });
		this.#tracked.set(tracked, record);
		return tracked;
	}
	getCalls(fn) { return [...this.#of(fn).calls]; }
	report() {
		return [...this.#tracked.values()].filter(({ calls, expected }) => calls.length !== expected).map(({ calls, expected, operator, stack }) => ({
			message: `Expected the ${operator} function to be executed ${expected} time(s) but was executed ${calls.length} time(s).`, actual: calls.length, expected, operator, stack }));
	}
	reset(fn) { (fn === undefined ? [...this.#tracked.values()] : [this.#of(fn)]).forEach((record) => { record.calls = []; }); }
	verify() {
		const errors = this.report();
		if (errors.length > 0)
			throw new AssertionError({ message: errors.length === 1 ? errors[0].message : 'Functions were not called the expected number of times', operator: 'verify' });
	}
}
assert.CallTracker = CallTracker;
assert.strict = Object.assign((value, message) => assert(value, message), assert, { equal: assert.strictEqual, notEqual: assert.notStrictEqual,
	deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual });
assert.strict.strict = assert.strict;
module.exports = assert;
