// SPDX-License-Identifier: Apache-2.0
// AbortController and AbortSignal.
// outcome: ok
function same(actual, expected, what) {
	if (JSON.stringify(actual) !== JSON.stringify(expected))
		throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}
function throws(action, name, what) {
	try {
		action();
	} catch (error) {
		same(error.name, name, what);
		return;
	}
	throw new Error(`${what}: nothing thrown`);
}

const controller = new AbortController();
const { signal } = controller;
const log = [];
signal.onabort = () => log.push('first handler');
signal.addEventListener('abort', (event) => log.push(`listener ${event.type} ${event.isTrusted} ${signal.aborted}`));
signal.onabort = (event) => log.push(`handler ${event.target === signal}`);
same([signal.aborted, signal.reason], [false, undefined], 'before');
signal.throwIfAborted();
controller.abort();
controller.abort('again');
same(log, ['handler true', 'listener abort true true'], 'events');
same([signal.reason.name, signal.reason.code, signal.reason instanceof DOMException], ['AbortError', 20, true],
	'the reason');
throws(() => signal.throwIfAborted(), 'AbortError', 'throwIfAborted');

const own = new AbortController();
own.abort({ name: 'mine' });
same(own.signal.reason, { name: 'mine' }, 'a reason of the program');
same(AbortSignal.abort(7).reason, 7, 'AbortSignal.abort');
same(AbortSignal.abort().reason.name, 'AbortError', 'AbortSignal.abort without a reason');

const a = new AbortController(), b = new AbortController();
const any = AbortSignal.any([a.signal, b.signal]);
const nested = AbortSignal.any([any]);
const order = [];
a.signal.addEventListener('abort', () => order.push(`a ${any.aborted} ${nested.aborted}`));
any.addEventListener('abort', () => order.push('any'));
nested.addEventListener('abort', () => order.push('nested'));
b.abort('b');
a.abort('a');
same([any.reason, nested.reason], ['b', 'b'], 'any');
same(order, ['any', 'nested', 'a true true'], 'order of any');
same(AbortSignal.any([AbortSignal.abort(1), AbortSignal.abort(2)]).reason, 1, 'any of aborted ones');
same(AbortSignal.any([]).aborted, false, 'any of none');

throws(() => new AbortSignal(), 'TypeError', 'no constructor');
throws(() => AbortSignal.any([1]), 'TypeError', 'any takes signals');
throws(() => AbortSignal.any(), 'TypeError', 'any needs an argument');
throws(() => AbortSignal.timeout(-1), 'TypeError', 'timeout out of range');
throws(() => AbortSignal.timeout(NaN), 'TypeError', 'timeout not a number');
throws(() => Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted').get.call(new EventTarget()),
	'TypeError', 'brand');
same(`${signal} ${controller}`, '[object AbortSignal] [object AbortController]', 'tags');
same(signal instanceof EventTarget, true, 'inherits');
same(AbortSignal.length, 0, 'length');

const timed = AbortSignal.timeout(5);
new Promise((resolve) => {
	timed.onabort = resolve;
	setTimeout(() => { }, 50);
}).then(() => same([timed.aborted, timed.reason.name], [true, 'TimeoutError'], 'timeout'));
