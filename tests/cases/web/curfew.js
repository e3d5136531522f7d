// SPDX-License-Identifier: Apache-2.0
// The curfew object: limits, parameters, checkpoints, and a signal that was not aborted.
// args: --params '[1,{"a":[2]}]'
// outcome: ok
// value: null
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
same(curfew.params, [1, { a: [2] }], 'params');
same(curfew.params === curfew.params, true, 'params stay');
same([Object.isFrozen(curfew), Object.isFrozen(curfew.params), Object.isFrozen(curfew.params[1].a),
	Object.isFrozen(curfew.limits)],
	[true, true, true, true], 'frozen');
same(curfew.user, null, 'user');
same(Object.keys(curfew.limits), ['timeout_us', 'grace_us', 'cpu_us', 'fuel', 'loops', 'memory_bytes', 'stack_bytes',
	'output_bytes', 'host_calls', 'timers'], 'limits');
same([curfew.limits.timeout_us, curfew.limits.fuel, curfew.limits.host_calls], [10e6, null, 1000], 'values of limits');
const left = curfew.remaining();
same(left > 0 && left <= 10000, true, 'remaining');

curfew.checkpoint({ half: [1, 2], toJSON() { return { done: 1 }; } });
same(curfew.checkpoint(null), undefined, 'checkpoint answers nothing');
curfew.progress({ percent: 50 });
const circle = {};
circle.circle = circle;
for (const send of [curfew.checkpoint, curfew.progress]) {
	throws(() => send(), 'TypeError', 'nothing');
	throws(() => send(undefined), 'TypeError', 'undefined');
	throws(() => send(() => 1), 'TypeError', 'a function');
	throws(() => send(Symbol('x')), 'TypeError', 'a symbol');
	throws(() => send(circle), 'TypeError', 'a circle');
	throws(() => send(1n), 'TypeError', 'a bigint');
	throws(() => send('x'.repeat(2 ** 21)), 'RangeError', 'too large');
}

same([curfew.signal === curfew.signal, curfew.signal instanceof AbortSignal, curfew.signal.aborted,
	curfew.signal.reason],
	[true, true, false, undefined], 'signal');
throws(() => { 'use strict'; curfew.signal = 1; }, 'TypeError', 'no setter');
throws(() => { 'use strict'; curfew.extra = 1; }, 'TypeError', 'no new properties');
same(`${curfew}`, '[object curfew]', 'tag');
null;
