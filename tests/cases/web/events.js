// SPDX-License-Identifier: Apache-2.0
// Event, CustomEvent and EventTarget: dispatch, options of listeners, and errors.
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

const target = new EventTarget();
const log = [];
target.addEventListener('a', () => log.push('bubble'));
target.addEventListener('a', () => log.push('capture'), true);
target.addEventListener('a', { handleEvent(event) { log.push(`object ${event.type} ${this !== target}`); } });
target.addEventListener('a', function (event) {
	log.push(`this ${this === target} ${event.target === target} ${event.currentTarget === target} ${event.eventPhase}`);
	log.push(event.composedPath().length);
}, { once: true });
same(target.dispatchEvent(new Event('a')), true, 'not cancelled');
same(log, ['capture', 'bubble', 'object a true', 'this true true true 2', 1], 'order of listeners');
log.length = 0;
target.dispatchEvent(new Event('a'));
same(log, ['capture', 'bubble', 'object a true'], 'once');

const twice = new EventTarget();
let calls = 0;
const listener = () => calls++;
twice.addEventListener('x', listener);
twice.addEventListener('x', listener);
twice.addEventListener('x', listener, { capture: true });
twice.dispatchEvent(new Event('x'));
same(calls, 2, 'the same listener is added once per phase');
twice.removeEventListener('x', listener);
twice.removeEventListener('x', listener, true);
twice.dispatchEvent(new Event('x'));
same(calls, 2, 'removed');

const cancel = new EventTarget();
cancel.addEventListener('c', (event) => event.preventDefault());
same(cancel.dispatchEvent(new Event('c', { cancelable: true })), false, 'cancelled');
same(cancel.dispatchEvent(new Event('c')), true, 'not cancelable');
const passive = new EventTarget();
passive.addEventListener('c', (event) => event.preventDefault(), { passive: true });
same(passive.dispatchEvent(new Event('c', { cancelable: true })), true, 'passive');

const stop = new EventTarget();
const reached = [];
stop.addEventListener('s', (event) => { reached.push(1); event.stopImmediatePropagation(); });
stop.addEventListener('s', () => reached.push(2));
stop.dispatchEvent(new Event('s'));
same(reached, [1], 'stopImmediatePropagation');

// Changes during a dispatch.
const changing = new EventTarget();
const seen = [];
const later = () => seen.push('later');
changing.addEventListener('e', () => {
	seen.push('first');
	changing.removeEventListener('e', later);
	changing.addEventListener('e', () => seen.push('added'), { once: true });
});
changing.addEventListener('e', later);
changing.dispatchEvent(new Event('e'));
same(seen, ['first'], 'a removed listener is not called, an added one waits');

const controller = new AbortController();
const signalled = new EventTarget();
let signalCalls = 0;
signalled.addEventListener('e', () => signalCalls++, { signal: controller.signal });
signalled.dispatchEvent(new Event('e'));
controller.abort();
signalled.dispatchEvent(new Event('e'));
same(signalCalls, 1, 'a signal removes the listener');

// Many listeners that remove themselves.
const many = new EventTarget();
let count = 0;
for (let i = 0; i < 500; i++)
	many.addEventListener('m', () => count++, { once: true });
many.dispatchEvent(new Event('m'));
many.dispatchEvent(new Event('m'));
same(count, 500, 'many once listeners');

const event = new Event('t', { bubbles: true, composed: true });
same([event.type, event.bubbles, event.cancelable, event.composed, event.defaultPrevented, event.isTrusted,
	event.target],
	['t', true, false, true, false, false, null], 'a fresh event');
same([Event.NONE, Event.CAPTURING_PHASE, Event.AT_TARGET, event.BUBBLING_PHASE], [0, 1, 2, 3], 'constants');
same(new CustomEvent('c', { detail: { a: 1 } }).detail, { a: 1 }, 'detail');
same(new CustomEvent('c').detail, null, 'no detail');
same(typeof event.timeStamp, 'number', 'timeStamp');
same(`${event}`, '[object Event]', 'tag');
same(`${new EventTarget()}`, '[object EventTarget]', 'tag of the target');

throws(() => Event('x'), 'TypeError', 'new is needed');
throws(() => new Event(), 'TypeError', 'an argument is needed');
throws(() => target.dispatchEvent({}), 'TypeError', 'not an event');
throws(() => target.addEventListener('a'), 'TypeError', 'two arguments are needed');
throws(() => target.addEventListener('a', 1), 'TypeError', 'a listener is an object');
throws(() => EventTarget.prototype.addEventListener.call({}, 'a', null), 'TypeError', 'brand');
throws(() => Object.getOwnPropertyDescriptor(Event.prototype, 'type').get.call({}), 'TypeError', 'brand of the event');
const busy = new EventTarget();
busy.addEventListener('e', (e) => throws(() => busy.dispatchEvent(e), 'InvalidStateError', 'dispatched twice'));
busy.dispatchEvent(new Event('e'));
target.addEventListener('n', null);

class Room extends EventTarget { }
let entered = 0;
const room = new Room();
room.addEventListener('enter', () => entered++);
room.dispatchEvent(new CustomEvent('enter'));
same(entered, 1, 'a subclass');
same(Object.keys(EventTarget.prototype), ['addEventListener', 'removeEventListener', 'dispatchEvent'],
	'enumerable members');
same([EventTarget.prototype.addEventListener.length, Event.length, CustomEvent.length], [2, 1, 1], 'lengths');
