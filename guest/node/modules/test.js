// SPDX-License-Identifier: Apache-2.0
// A runner of tests: one after the other, reported as TAP on standard output. A failed test makes the exit code 1.
const { AsyncLocalStorage } = require('async_hooks');
const { coded, needs } = require('internal/errors');

const absent = (what, why) => { throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `test.${what} is not here: ${why}`); };
const print = (text) => binding.write(1, text);
const current = new AsyncLocalStorage();
const counts = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
const hookNames = ['before', 'after', 'beforeEach', 'afterEach'];

// ---- Mocks ----

class MockContext {
	#calls = [];
	#once = new Map();
	constructor(original, implementation, restore, times = Infinity) {
		Object.assign(this, { original, implementation, _restore: restore, _times: times });
		for (const name of ['original', 'implementation', '_restore', '_times'])
			Object.defineProperty(this, name, { enumerable: false });
	}
	get calls() { return [...this.#calls]; }
	callCount() { return this.#calls.length; }
	mockImplementation(implementation) {
		needs.callable(implementation, 'implementation');
		this.implementation = implementation;
	}
	mockImplementationOnce(implementation, onCall = this.#calls.length) {
		needs.callable(implementation, 'implementation');
		this.#once.set(onCall, implementation);
	}
	resetCalls() { this.#calls = []; }
	restore() {
		this._restore?.();
		this.implementation = this.original;
		this.#once.clear();
	}
	_next() {
		const at = this.#calls.length, once = this.#once.get(at);
		this.#once.delete(at);
		if (once)
			return once;
		return this._times-- > 0 ? this.implementation : this.original;
	}
	_note(call) { this.#calls.push(call); }
}
const mockOf = (original, implementation, restore, options) => {
	const context = new MockContext(original, implementation, restore, options?.times);
	const called = (self, args, target) => {
		const action = context._next(), call = { arguments: args, error: undefined, result: undefined, stack: new Error(), target, this: self };
		try {
			const result = target ? Reflect.construct(action, args, target) : Reflect.apply(action, self, args);
			if (target)
				call.this = result;
			call.result = result;
			return result;
		} catch (error) {
			call.error = error;
			throw error;
		} finally {
			context._note(call);
		}
	};
	const mocked = new Proxy(original, { get: (target, key, receiver) => key === 'mock' ? context : Reflect.get(target, key, receiver), apply: (_, self, args) => called(self, args), construct: (_, args, target) => called(undefined, args, target) });
	return { mocked, context };
};
class MockTracker {
	#mocks = [];
	#keep({ mocked, context }) {
		this.#mocks.push(context);
		return mocked;
	}
	fn(original = () => undefined, implementation = original, options = {}) {
		if (original !== null && typeof original === 'object')
			[original, options] = [() => undefined, original];
		if (implementation !== null && typeof implementation === 'object')
			[implementation, options] = [original, implementation];
		return this.#keep(mockOf(original, implementation, undefined, options));
	}
	method(object, name, implementation, options = {}) {
		if (implementation !== null && typeof implementation === 'object')
			[implementation, options] = [undefined, implementation];
		let holder = object;
		while (holder !== null && !Object.hasOwn(holder, name))
			holder = Object.getPrototypeOf(holder);
		const found = holder && Object.getOwnPropertyDescriptor(holder, name), kind = options.getter ? 'get' : options.setter ? 'set' : 'value', original = found?.[kind];
		if (typeof original !== 'function')
			throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'methodName' must be a method. Received ${binding.inspect(original)}`);
		const made = mockOf(original, implementation ?? original, () => {
			if (holder === object)
				Object.defineProperty(object, name, found);
			else
				delete object[name];
		}, options);
		Object.defineProperty(object, name, { ...found, [kind]: made.mocked, configurable: true });
		return this.#keep(made);
	}
	getter(object, name, implementation, options) { return typeof implementation === 'object' ? this.method(object, name, { ...implementation, getter: true }) : this.method(object, name, implementation, { ...options, getter: true }); }
	setter(object, name, implementation, options) { return typeof implementation === 'object' ? this.method(object, name, { ...implementation, setter: true }) : this.method(object, name, implementation, { ...options, setter: true }); }
	module() { absent('mock.module', 'modules cannot be replaced here'); }
	reset() {
		this.restoreAll();
		this.#timers?.reset();
		this.#mocks = [];
	}
	restoreAll() { this.#mocks.forEach((context) => context.restore()); }
	#timers;
	get timers() { return this.#timers ??= new (require('internal/mock_timers'))(); }
}

// ---- Tests ----

const indent = (depth) => '    '.repeat(depth);
const clean = (text) => text.replace(/[\\#]/g, '\\$&');
const yaml = (depth, key, value) => typeof value === 'string' && value.includes('\n') ? `${indent(depth)}  ${key}: |-\n${value.split('\n').map((line) => `${indent(depth)}    ${line}\n`).join('')}` :
	`${indent(depth)}  ${key}: ${typeof value === 'string' ? `'${value.replace(/'/g, '\\\'')}'` : binding.inspect(value)}\n`;
const failure = (message, kind) => Object.assign(coded(Error, 'ERR_TEST_FAILURE', message), { failureType: kind });

class Test {
	children = [];
	hooks = { before: [], after: [], beforeEach: [], afterEach: [] };
	diagnostics = [];
	mock = new MockTracker();
	controller = new AbortController();
	#tail; // ends when the tests that were added have run; those of a suite wait for its turn
	#open;
	#begun = false;
	#planned;
	constructor(parent, name, options, action, isSuite) {
		Object.assign(this, { parent, name, options, action, isSuite, depth: parent ? parent.depth + 1 : -1, skipped: options.skip, todo: options.todo, failed: undefined, counted: 0 });
		this.#tail = isSuite ? new Promise((open) => { this.#open = open; }) : Promise.resolve();
	}
	get fullName() { return this.parent?.parent ? `${this.parent.fullName} > ${this.name}` : this.name; }
	// Runs after the tests that were added before.
	add(child) {
		this.children.push(child);
		child.number = this.children.length;
		return this.#tail = this.#tail.then(() => child.run());
	}
	settled() { return this.#tail; }
	header() {
		if (this.#begun || !this.parent)
			return;
		this.#begun = true;
		this.parent.header();
		print(`${indent(this.depth)}# Subtest: ${clean(this.name)}\n`);
	}
	plan(count) { this.#planned = count; }
	ancestors() { return this.parent ? [...this.parent.ancestors(), this.parent] : []; }
	async #hook(list, context) {
		for (const { action } of list) {
			try {
				await call(action, context);
			} catch (error) {
				throw Object.assign(error, { failureType: 'hookFailed' });
			}
		}
	}
	async #body(context) {
		const around = this.isSuite ? [] : this.ancestors();
		for (const one of around)
			await this.#hook(one.hooks.beforeEach, context);
		if (this.isSuite)
			await this.#hook(this.hooks.before, context);
		try {
			await (this.isSuite ? this.collected : call(this.action, context));
			this.#open?.();
			await this.settled();
		} finally {
			await this.#hook(this.hooks.after, context);
			for (const one of around.reverse())
				await this.#hook(one.hooks.afterEach, context);
		}
		const failed = this.children.filter((child) => child.failed && !child.isTodo()).length;
		if (failed > 0)
			throw failure(`${failed} subtest${failed > 1 ? 's' : ''} failed`, 'subtestsFailed');
		if (this.#planned !== undefined && this.#planned !== this.counted + this.children.length)
			throw failure(`plan expected ${this.#planned} assertions but received ${this.counted + this.children.length}`, 'testCodeFailure');
	}
	isTodo() { return this.todo !== undefined && this.todo !== false; }
	isSkipped() { return this.skipped !== undefined && this.skipped !== false; }
	async run() {
		const start = performance.now(), context = this.isSuite ? new SuiteContext(this) : new TestContext(this);
		this.parent.ready ??= current.run(this.parent, () => this.parent.isSuite ? undefined : this.#hook(this.parent.hooks.before, context));
		try {
			await this.parent.ready;
			if (!this.isSkipped() && (this.action || this.collected))
				await current.run(this, () => this.#within(this.#body(context)));
		} catch (error) {
			this.failed = { error };
			this.controller.abort(error);
		}
		this.mock.reset();
		this.report(performance.now() - start);
	}
	#within(promise) {
		const { timeout = Infinity, signal } = this.options;
		return new Promise((resolve, reject) => {
			const timer = timeout === Infinity ? undefined : binding.timers.setTimeout(() => reject(failure(`test timed out after ${timeout}ms`, 'testTimeoutFailure')), timeout);
			signal?.addEventListener('abort', () => reject(failure('This operation was aborted', 'testAborted')), { once: true });
			promise.then(resolve, reject).finally(() => binding.timers.clearTimeout(timer));
		});
	}
	report(spent, error) {
		if (error)
			this.failed = { error };
		this.isReported = true;
		const { depth, failed } = this, pad = indent(depth);
		this.header();
		if (this.children.length > 0)
			print(`${indent(depth + 1)}1..${this.children.length}\n`);
		const reason = (word, text) => ` # ${word}${typeof text === 'string' && text !== '' ? ' ' + clean(text) : ''}`;
		print(`${pad}${failed ? 'not ok' : 'ok'} ${this.number} - ${clean(this.name)}${this.isSkipped() ? reason('SKIP', this.skipped) : this.isTodo() ? reason('TODO', this.todo) : ''}\n`);
		print(`${pad}  ---\n${pad}  duration_ms: ${spent.toFixed(6)}\n${this.isSuite ? `${pad}  type: 'suite'\n` : ''}`);
		if (failed)
			print(this.#explain(failed.error));
		print(`${pad}  ...\n${this.diagnostics.map((text) => `${pad}# ${clean(text)}\n`).join('')}`);
		if (this.isSuite)
			counts.suites++;
		else
			this.#count(failed);
		if (failed && !this.isTodo())
			process.exitCode = 1;
	}
	#count(failed) {
		counts.tests++;
		const kind = this.isSkipped() ? 'skipped' : this.isTodo() ? 'todo' : !failed ? 'pass' : /Timeout|Aborted|cancelled/.test(failed.error?.failureType) ? 'cancelled' : 'fail';
		counts[kind]++;
	}
	#explain(error) {
		const { depth } = this, isError = error instanceof Error;
		let text = yaml(depth, 'failureType', error?.failureType ?? 'testCodeFailure') + yaml(depth, 'error', isError ? error.message : binding.inspect(error)) + yaml(depth, 'code', error?.code ?? 'ERR_TEST_FAILURE');
		if (!isError || (error.failureType && error.failureType !== 'hookFailed'))
			return text;
		if (error.name !== 'Error')
			text += yaml(depth, 'name', error.name);
		if (error.code === 'ERR_ASSERTION')
			text += ['expected', 'actual'].map((key) => yaml(depth, key, Object(error[key]) === error[key] ? binding.inspect(error[key]) : error[key])).join('') + yaml(depth, 'operator', error.operator);
		const stack = String(error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line) && !line.includes('curfew:prelude')).map((line) => line.trim().slice(3));
		return stack.length > 0 ? text + yaml(depth, 'stack', stack.join('\n')) : text;
	}
}
// Calls a function that may return a promise or take a callback.
const call = (action, context) => action.length < 2 ? action.call(context, context) : new Promise((resolve, reject) => action.call(context, context, (error) => error ? reject(error) : resolve()));

class SuiteContext {
	#suite;
	constructor(suite) { this.#suite = suite; }
	get name() { return this.#suite.name; }
	get fullName() { return this.#suite.fullName; }
	get signal() { return this.#suite.controller.signal; }
}
class TestContext {
	#test;
	#assert;
	constructor(test) { this.#test = test; }
	get name() { return this.#test.name; }
	get fullName() { return this.#test.fullName; }
	get signal() { return this.#test.controller.signal; }
	get mock() { return this.#test.mock; }
	get error() { return this.#test.failed?.error ?? null; }
	get passed() { return this.#test.failed === undefined; }
	get assert() {
		if (!this.#assert) {
			const test = this.#test, assert = require('assert');
			this.#assert = { snapshot: () => absent('t.assert.snapshot', 'there are no files of snapshots here') };
			for (const name of Object.keys(assert).filter((key) => typeof assert[key] === 'function' && !/^([A-Z]|strict$)/.test(key)))
				this.#assert[name] = (...args) => {
					test.counted++;
					return assert[name](...args);
				};
		}
		return this.#assert;
	}
	diagnostic(message) { this.#test.diagnostics.push(`${message}`); }
	plan(count) {
		needs.integer(count, 'count', 1);
		this.#test.plan(count);
	}
	runOnly() {}
	skip(message) { this.#test.skipped = typeof message === 'string' ? message : true; }
	todo(message) { this.#test.todo = typeof message === 'string' ? message : true; }
	test(...args) { return begin(this.#test, args, false); }
	before(action, options) { this.#test.hooks.before.push({ action, options }); }
	after(action, options) { this.#test.hooks.after.push({ action, options }); }
	beforeEach(action, options) { this.#test.hooks.beforeEach.push({ action, options }); }
	afterEach(action, options) { this.#test.hooks.afterEach.push({ action, options }); }
}

let root;
function rootTest() {
	if (root)
		return root;
	root = new Test(undefined, '<root>', {}, undefined, false);
	const start = performance.now();
	print('TAP version 13\n');
	process.on('exit', () => {
		for (const test of root.children.filter((child) => !child.isReported))
			test.report(0, failure('Promise resolution is still pending but the event loop has already resolved', 'cancelledByParent'));
		root.hooks.after.forEach(({ action }) => action());
		print(`1..${root.children.length}\n${Object.entries(counts).map(([name, count]) => `# ${name} ${count}\n`).join('')}# duration_ms ${(performance.now() - start).toFixed(6)}\n`);
	});
	return root;
}
function begin(parent, args, isSuite, extra) {
	let [name, options, action] = args;
	if (typeof name === 'function')
		[name, options, action] = [name.name, {}, name];
	else if (name !== null && typeof name === 'object')
		[name, options, action] = ['', name, options];
	else if (typeof options === 'function')
		[options, action] = [{}, options];
	const given = { ...options, ...extra };
	if (given.timeout !== undefined)
		needs.number(given.timeout, 'options.timeout', 0, 2 ** 31 - 1);
	needs.signal(given.signal, 'options.signal');
	const test = new Test(parent, `${name || action?.name || '<anonymous>'}`, given, action, isSuite);
	if (isSuite && action && !test.isSkipped())
		test.collected = (async () => current.run(test, () => action.call(undefined, new SuiteContext(test))))();
	test.collected?.catch(() => {});
	return parent.add(test);
}
const make = (isSuite) => {
	const start = (extra) => (...args) => {
		const promise = begin(current.getStore() ?? rootTest(), args, isSuite, extra);
		return isSuite ? undefined : promise;
	};
	return Object.assign(start(), { skip: start({ skip: true }), todo: start({ todo: true }), only: start({ only: true }) });
};
const test = make(false), describe = make(true);
const hooks = Object.fromEntries(hookNames.map((name) => [name, (action, options) => {
	needs.callable(action, 'fn');
	(current.getStore() ?? rootTest()).hooks[name].push({ action, options });
}]));
module.exports = Object.assign(test, { test, it: make(false), describe, suite: make(true), ...hooks, mock: new MockTracker(), TestContext, SuiteContext,
	run: () => absent('run', 'a program runs its own tests only'), assert: { register: () => absent('assert.register', 'the assertions are those of node:assert') },
	snapshot: { setDefaultSnapshotSerializers: () => absent('snapshot', 'there are no files of snapshots here'), setResolveSnapshotPath: () => absent('snapshot', 'there are no files of snapshots here') } });
