// SPDX-License-Identifier: Apache-2.0
const { inspect, isDeepStrictEqual, _isDeepEqual: isDeepEqual } = require('util');
const { coded, needs, received, wrongType } = require('internal/errors');

// ---- Messages ----

const show = (value) => inspect(value, { compact: false, customInspect: false, depth: 1000, maxArrayLength: Infinity, showHidden: false, showProxy: false, sorted: true, getters: true });
const heads = { deepStrictEqual: 'Expected values to be strictly deep-equal:', strictEqual: 'Expected values to be strictly equal:', strictEqualObject: 'Expected "actual" to be reference-equal to "expected":',
	deepEqual: 'Expected values to be loosely deep-equal:', notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:', notStrictEqual: 'Expected "actual" to be strictly unequal to:',
	notStrictEqualObject: 'Expected "actual" not to be reference-equal to "expected":', notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
	notDeepEqualUnequal: 'Expected values not to be loosely deep-equal:' };
const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

// The lines of both texts: [' ', line] in both, ['+', line] only in the first, ['-', line] only in the second.
const MANY = 1000000; // how many pairs of lines are compared; longer texts are shown one after the other
function diffOf(a, b) {
	let start = 0, end = 0;
	while (start < a.length && start < b.length && a[start] === b[start])
		start++;
	while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end])
		end++;
	const x = a.slice(start, a.length - end), y = b.slice(start, b.length - end), lines = a.slice(0, start).map((line) => [' ', line]);
	const added = (line) => ['+', line], removed = (line) => ['-', line];
	if (x.length * y.length > MANY) {
		lines.push(...x.map(added), ...y.map(removed));
	} else {
		const width = y.length + 1, best = new Uint32Array((x.length + 1) * width);
		for (let i = x.length - 1; i >= 0; i--) {
			for (let j = y.length - 1; j >= 0; j--)
				best[i * width + j] = x[i] === y[j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
		}
		let i = 0, j = 0;
		while (i < x.length || j < y.length) {
			if (i < x.length && j < y.length && x[i] === y[j]) {
				lines.push([' ', x[i++]]);
				j++;
			} else if (i < x.length && (j === y.length || best[(i + 1) * width + j] >= best[i * width + j + 1])) {
				lines.push(added(x[i++]));
			} else {
				lines.push(removed(y[j++]));
			}
		}
	}
	return [...lines, ...a.slice(a.length - end).map((line) => [' ', line])];
}
// Long runs of equal lines are shortened to two at each end.
function shorten(lines) {
	const shown = [];
	let skipped = false;
	for (let at = 0; at < lines.length;) {
		let end = at;
		while (end < lines.length && lines[end][0] === ' ')
			end++;
		const run = lines.slice(at, end);
		if (run.length > 5) {
			skipped = true;
			shown.push(...run.slice(0, 2), ['', '...'], ...run.slice(-2));
		} else {
			shown.push(...run);
		}
		for (at = end; at < lines.length && lines[at][0] !== ' '; at++)
			shown.push(lines[at]);
	}
	return [shown.map(([mark, line]) => mark === '' ? line : `${mark} ${line}`), skipped];
}
// Two short values side by side, longer ones below each other. A mark shows where they begin to differ.
function compareLines(a, b, isPrimitive) {
	const length = a.length + b.length;
	if (length <= 12 && isPrimitive)
		return `\n${a} !== ${b}\n`;
	let at = 0;
	while (length > 12 && length < 80 && at < a.length && a[at] === b[at])
		at++;
	return `+ actual - expected\n\n+ ${a}\n- ${b}${at > 2 ? `\n  ${' '.repeat(at)}^` : ''}`;
}
function compareMessage(actual, expected, operator) {
	let name = operator;
	const a = show(actual).split('\n'), b = show(expected).split('\n');
	if (operator === 'strictEqual' && isObject(actual) && isObject(expected))
		name = 'strictEqualObject';
	if (a.length === 1 && b.length === 1 && a[0] !== b[0] && name !== 'strictEqualObject')
		return `${heads[operator]}\n${compareLines(a[0], b[0], !isObject(actual) && !isObject(expected) && (actual !== 0 || expected !== 0))}`;
	if (a.join('\n') === b.join('\n') && operator === 'deepStrictEqual' && a.length === 1 && a[0].length <= 74 && !isObject(actual) && !isObject(expected))
		return `${heads[operator]}\n\n${a[0]} !== ${b[0]}\n`;
	if (a.join('\n') === b.join('\n'))
		return `Values have same structure but are not reference-equal:\n\n${a.join('\n')}\n`;
	const [lines, skipped] = shorten(diffOf(a, b));
	return `${heads[name]}\n+ actual - expected${skipped ? ' ... Lines skipped' : ''}\n\n${lines.join('\n')}`;
}
const limited = (lines, most) => lines.length > most ? [...lines.slice(0, most - 3), '...'] : lines;
function messageOf(actual, expected, operator) {
	if (operator === 'deepStrictEqual' || operator === 'strictEqual')
		return compareMessage(actual, expected, operator);
	if (operator === 'notDeepStrictEqual' || operator === 'notStrictEqual') {
		const lines = limited(show(actual).split('\n'), 50), head = operator === 'notStrictEqual' && isObject(actual) ? heads.notStrictEqualObject : heads[operator];
		return lines.length === 1 ? `${head}${lines[0].length > 5 ? '\n\n' : ' '}${lines[0]}` : `${head}\n\n${lines.join('\n')}\n`;
	}
	const a = limited(show(actual).split('\n'), 50).join('\n'), b = limited(show(expected).split('\n'), 50).join('\n');
	if (operator === 'deepEqual')
		return `${heads.deepEqual}\n\n${a}\n\nshould loosely deep-equal\n\n${b}`;
	if (operator === 'notDeepEqual')
		return a === b ? `${heads.notDeepEqual}\n\n${a}` : `${heads.notDeepEqualUnequal}\n\n${a}\n\nshould not loosely deep-equal\n\n${b}`;
	return `${a} ${operator} ${b}`;
}

class AssertionError extends Error {
	constructor(options) {
		needs.object(options, 'options');
		const { message, operator, stackStartFn, actual, expected, details } = options;
		super(message !== undefined && message !== null ? String(message) : messageOf(actual, expected, operator));
		Object.defineProperty(this, 'name', { value: 'AssertionError', writable: true, configurable: true });
		this.generatedMessage = !message;
		this.code = 'ERR_ASSERTION';
		if (details)
			this.details = details;
		else
			Object.assign(this, { actual, expected, operator });
		if (typeof stackStartFn === 'function')
			Error.captureStackTrace?.(this, stackStartFn);
	}
	toString() { return `${this.name} [${this.code}]: ${this.message}`; }
}

// ---- Assertions ----

function check(good, actual, expected, message, operator, generated) {
	if (good)
		return;
	if (message instanceof Error)
		throw message;
	const error = new AssertionError({ message: message ?? generated, actual, expected, operator });
	error.generatedMessage = message === undefined || message === null;
	throw error;
}
const missing = (...names) => { throw coded(TypeError, 'ERR_MISSING_ARGS', `The ${names.map((name) => `"${name}"`).join(' and ')} arguments must be specified`); };
function truth(args, called, action) {
	const [value, message] = args;
	if (value)
		return;
	const text = () => args.length === 0 ? 'No value argument passed to `assert.ok()`' : `The expression evaluated to a falsy value:\n\n  ${require('internal/call_text')(action) ?? `${called}(${inspect(value)})`}\n`;
	check(false, value, true, message, '==', message === undefined || message === null ? text() : undefined);
}
const assert = (...args) => truth(args, 'assert', assert);
const equal = (a, b) => a == b || (a !== a && b !== b); // eslint-disable-line eqeqeq
const comparisons = {
	equal: [equal, '=='], notEqual: [(a, b) => !equal(a, b), '!='], strictEqual: [Object.is], notStrictEqual: [(a, b) => !Object.is(a, b)],
	deepEqual: [(a, b) => isDeepEqual(a, b)], notDeepEqual: [(a, b) => !isDeepEqual(a, b)], deepStrictEqual: [(a, b) => isDeepStrictEqual(a, b)], notDeepStrictEqual: [(a, b) => !isDeepStrictEqual(a, b)],
};
assert.ok = function ok(...args) { truth(args, 'assert.ok', ok); };
assert.AssertionError = AssertionError;
assert.fail = function fail(message) { check(false, undefined, undefined, message, 'fail', 'Failed'); };
for (const [name, [holds, operator = name]] of Object.entries(comparisons))
	assert[name] = { [name](...args) {
		if (args.length < 2)
			missing('actual', 'expected');
		const [actual, expected, message] = args;
		check(holds(actual, expected), actual, expected, message, operator);
	} }[name];
function matches(text, pattern, message, operator, wanted) {
	if (!(pattern instanceof RegExp))
		wrongType('regexp', 'an instance of RegExp', pattern);
	const isText = typeof text === 'string';
	check(isText && pattern.test(text) === wanted, text, pattern, message, operator, !isText ? `The "string" argument must be of type string.${received(text)}` :
		`The input ${wanted ? 'did not match' : 'was expected to not match'} the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`);
}
assert.match = function match(text, pattern, message) { matches(text, pattern, message, 'match', true); };
assert.doesNotMatch = function doesNotMatch(text, pattern, message) { matches(text, pattern, message, 'doesNotMatch', false); };
assert.ifError = function ifError(value) {
	if (value === null || value === undefined)
		return;
	const text = typeof value === 'object' && typeof value.message === 'string' ? value.message.length === 0 && value.constructor ? value.constructor.name : value.message : inspect(value);
	const error = new AssertionError({ message: 'ifError got unwanted exception: ' + text, actual: value, expected: null, operator: 'ifError' });
	error.generatedMessage = false;
	throw error;
};

// ---- Exceptions ----

// The error reduced to the properties that are expected, as the message shows it.
class Comparison {
	constructor(value, keys, expected) {
		for (const key of keys) {
			if (value !== null && value !== undefined && key in Object(value))
				this[key] = typeof value[key] === 'string' && expected?.[key] instanceof RegExp && expected[key].test(value[key]) ? expected[key] : value[key];
		}
	}
}
function fits(error, expected, message, operator) {
	if (expected === undefined)
		return;
	if (expected instanceof RegExp)
		return check(expected.test(String(error)), error, expected, message, operator, `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(error))}\n`);
	if (typeof expected === 'function') {
		if (expected.prototype !== undefined && error instanceof expected)
			return;
		if (Error.isPrototypeOf(expected) || expected === Error) {
			const kind = error?.constructor?.name, isError = error instanceof Error;
			return check(false, error, expected, message, operator, `The error is expected to be an instance of "${expected.name}". Received ${isError ? `"${kind || error.name}"` : `"${inspect(error, { depth: -1 })}"`}` + (isError && error.message ? `\n\nError message:\n\n${error.message}` : ''));
		}
		const result = Reflect.apply(expected, {}, [error]);
		return check(result === true, error, expected, message, operator, `The ${expected.name ? `"${expected.name}" ` : ''}validation function is expected to return "true". Received ${inspect(result)}` + (error instanceof Error ? `\n\nCaught error:\n\n${error}` : ''));
	}
	const keys = Object.keys(expected);
	if (expected instanceof Error)
		keys.push('name', 'message');
	else if (keys.length === 0 && isObject(error))
		throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', 'The argument \'error\' may not be an empty object. Received {}');
	const good = (key) => key in Object(error) && (expected[key] instanceof RegExp && typeof error[key] === 'string' ? expected[key].test(error[key]) : isDeepStrictEqual(error[key], expected[key]));
	if (!isObject(error) || !keys.every(good))
		check(false, error, expected, message, operator, compareMessage(isObject(error) ? new Comparison(error, keys, expected) : error, isObject(error) ? new Comparison(expected, keys) : expected, 'deepStrictEqual'));
}
const nothing = Symbol('nothing');
function expects(error, operator, expected, message) {
	if (typeof expected === 'string') {
		if (message !== undefined)
			wrongType('error', 'of type function or an instance of Error, RegExp, or Object', expected);
		if (error !== nothing && (error?.message ?? error) === expected)
			throw coded(TypeError, 'ERR_AMBIGUOUS_ARGUMENT', `The "error/message" argument is ambiguous. The error ${isObject(error) ? 'message ' : ''}"${expected}" is identical to the message.`);
		[message, expected] = [expected, undefined];
	} else if (expected !== undefined && expected !== null && typeof expected !== 'object' && typeof expected !== 'function') {
		wrongType('error', 'of type function or an instance of Error, RegExp, or Object', expected);
	}
	if (error !== nothing)
		return fits(error, expected ?? undefined, message, operator);
	if (message instanceof Error)
		throw message;
	const made = new AssertionError({ message: `Missing expected ${operator === 'rejects' ? 'rejection' : 'exception'}${expected?.name ? ` (${expected.name})` : ''}${message ? `: ${message}` : '.'}`, actual: undefined, expected, operator });
	made.generatedMessage = false;
	throw made;
}
function expectsNone(error, operator, expected, message) {
	if (error === nothing)
		return;
	if (typeof expected === 'string')
		[message, expected] = [expected, undefined];
	const isMeant = !expected || (expected instanceof RegExp ? expected.test(String(error)) : expected.prototype !== undefined && error instanceof expected) || (typeof expected === 'function' && !Error.isPrototypeOf(expected) && Reflect.apply(expected, {}, [error]) === true);
	if (!isMeant)
		throw error;
	const made = new AssertionError({ message: `Got unwanted ${operator === 'doesNotReject' ? 'rejection' : 'exception'}${message ? `: ${message}` : '.'}\nActual message: "${error?.message}"`, actual: error, expected, operator });
	made.generatedMessage = false;
	throw made;
}
function thrownBy(action) {
	needs.callable(action, 'fn');
	try {
		action();
	} catch (error) {
		return error;
	}
	return nothing;
}
async function rejectionOf(given) {
	let promise = given;
	if (typeof given === 'function') {
		promise = given();
		if (typeof promise?.then !== 'function')
			throw coded(TypeError, 'ERR_INVALID_RETURN_VALUE', `Expected instance of Promise to be returned from the "promiseFn" function but got ${received(promise).replace(/^ Received /, '')}.`);
	} else if (typeof given?.then !== 'function' || typeof given.catch !== 'function') {
		wrongType('promiseFn', 'of type function or an instance of Promise', given);
	}
	try {
		await promise;
	} catch (error) {
		return error;
	}
	return nothing;
}
assert.throws = function throws(action, ...rest) { expects(thrownBy(action), 'throws', ...rest); };
assert.doesNotThrow = function doesNotThrow(action, ...rest) { expectsNone(thrownBy(action), 'doesNotThrow', ...rest); };
assert.rejects = async function rejects(promise, ...rest) { expects(await rejectionOf(promise), 'rejects', ...rest); };
assert.doesNotReject = async function doesNotReject(promise, ...rest) { expectsNone(await rejectionOf(promise), 'doesNotReject', ...rest); };

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
const strict = (...args) => truth(args, 'assert', strict);
assert.strict = Object.assign(strict, assert, { equal: assert.strictEqual, notEqual: assert.notStrictEqual,
	deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual });
assert.strict.strict = assert.strict;
module.exports = assert;
