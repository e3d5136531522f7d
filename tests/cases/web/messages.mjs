// SPDX-License-Identifier: Apache-2.0
// Ports, and the events of the global scope.
// outcome: ok
// value: "done"
const same = (actual, expected, what) => {
	if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
};
const fails = async (action, name, what) => {
	try { await action(); } catch (error) { same(error?.name, name, what); return error; }
	throw new Error(`${what}: nothing thrown`);
};
const { port1, port2 } = new MessageChannel();
const received = [];
// Each message is a task of its own, and on a busy machine a timer may be due before the next of them.
const next = async () => {
	for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
};
port2.postMessage('early');
port1.onmessage = (event) => received.push([event.data, event.type, event.target === port1, event.ports.length]);
const buffer = new ArrayBuffer(3);
port2.postMessage({ buffer, map: new Map([[1, 2]]) }, [buffer]);
same([received, buffer.byteLength], [[], 0], 'not at once, and moved');
await next();
same(received.map((r) => r.slice(1)), [['message', true, 0], ['message', true, 0]], 'received');
same([received[0][0], received[1][0].map.get(1), received[1][0].buffer.byteLength], ['early', 2, 3], 'cloned');
const inner = new MessageChannel();
inner.port1.postMessage('kept');
port2.postMessage('port', { transfer: [inner.port2] });
let handed;
port1.onmessage = (event) => { [handed] = event.ports; };
await next();
const kept = [];
handed.addEventListener('message', (event) => kept.push(event.data));
handed.start();
inner.port1.postMessage('later');
await next();
same([kept, handed === inner.port2], [['kept', 'later'], false], 'a port that was transferred');
for (const bad of [() => port1.postMessage(() => 1), () => port1.postMessage(1, [port1]), () => port1.postMessage(1, [inner.port2]), () => port1.postMessage(1, [{}]), () => port1.postMessage(port2),
	() => structuredClone(new Headers()), () => structuredClone(new ReadableStream())])
	await fails(bad, 'DataCloneError', String(bad));
await fails(() => new MessagePort(), 'TypeError', 'no constructor');
let closed = 0;
port1.onclose = () => closed++;
port2.close();
port2.postMessage('lost');
await next();
same(closed, 1, 'close');
const event = new MessageEvent('x', { data: 1, origin: 'o', lastEventId: 'l', ports: [port1], source: port1 });
same([event.data, event.origin, event.lastEventId, event.ports.length, event.source === port1, Object.isFrozen(event.ports)], [1, 'o', 'l', 1, true, true], 'MessageEvent');

// Channels by name.
const channels = [new BroadcastChannel('a'), new BroadcastChannel('a'), new BroadcastChannel('b'), new BroadcastChannel('a')], heard = [];
channels.forEach((channel, i) => { channel.onmessage = ({ data, target }) => heard.push([i, data, target === channel]); });
const sent = { map: new Map([[1, 2]]) };
channels[0].postMessage(sent);
channels[3].close();
await next();
same([heard.length, heard[0][0], heard[0][1].map.get(1), heard[0][1] === sent, heard[0][2], channels[2].name], [1, 1, 2, false, true, 'b'], 'BroadcastChannel');
await fails(() => channels[3].postMessage(1), 'InvalidStateError', 'a closed channel');
await fails(() => channels[0].postMessage(() => 1), 'DataCloneError', 'no message');
await fails(() => new BroadcastChannel(), 'TypeError', 'a channel without a name');
same([navigator.hardwareConcurrency, navigator.language, navigator.languages, navigator.platform], [1, 'en-US', ['en-US'], 'linux'], 'navigator');

// Errors.
const errors = [];
addEventListener('error', function (error) { errors.push([error.message, error.error?.message, error.lineno > 0, error.target === globalThis, this === globalThis]); error.preventDefault(); });
setTimeout(() => { throw new TypeError('in a timer'); }, 0);
queueMicrotask(() => { throw new Error('in a job'); });
reportError('text');
const target = new EventTarget();
target.addEventListener('x', () => { throw new RangeError('in a listener'); });
target.dispatchEvent(new Event('x'));
await next();
same(errors.map(([message]) => message).sort(), ["Uncaught 'text'", 'Uncaught Error: in a job', 'Uncaught RangeError: in a listener', 'Uncaught TypeError: in a timer'], 'errors');
same(errors.every((seen) => seen[3] && seen[4]), true, 'the global object is the target');
let parts;
onerror = (...given) => { parts = given; return true; };
same([typeof onerror, onunhandledrejection, onrejectionhandled], ['function', null, null], 'handlers');
setTimeout(() => { throw new Error('with a place'); }, 0);
await next();
same([parts[0], parts[1], parts[2] > 0, parts[4].message], ['Uncaught Error: with a place', 'messages.mjs', true, 'with a place'], 'onerror');

// Rejections.
const rejections = [];
onunhandledrejection = (event) => { rejections.push(event.reason, event.promise === lost); event.preventDefault(); };
onrejectionhandled = (event) => rejections.push('handled ' + event.reason);
const lost = Promise.reject('lost');
await next();
lost.catch(() => {});
await next();
same(rejections, ['lost', true, 'handled lost'], 'rejections');
await fails(() => new PromiseRejectionEvent('x', {}), 'TypeError', 'no promise');
same(new ErrorEvent('e', { message: 'm', lineno: 3, error: 0 }).error, 0, 'ErrorEvent');
export default 'done';
