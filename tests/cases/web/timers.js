// SPDX-License-Identifier: Apache-2.0
// Timers and microtasks.
// outcome: ok
// stdout: sync
// stdout: microtask
// stdout: promise
// stdout: timeout a b
// stdout: interval 1
// stdout: interval 2
// stdout: interval 3
// stdout: last
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
const ids = [setTimeout((...args) => console.log('timeout', ...args), 1, 'a', 'b')];
queueMicrotask(() => console.log('microtask'));
Promise.resolve().then(() => console.log('promise'));
const gone = setTimeout(() => console.log('never'), 2);
clearTimeout(gone);
clearTimeout(gone);
clearTimeout();
clearTimeout(null);
clearTimeout({});
clearInterval(-1);
let n = 0;
const interval = setInterval(() => {
	console.log('interval', ++n);
	if (n === 3) {
		clearInterval(interval);
		setTimeout(() => console.log('last'), '3');
	}
}, 10);
same(interval > 0 && Number.isInteger(+interval) && +interval !== +ids[0], true, 'ids are positive numbers and differ');
const idle = setTimeout(() => console.log('never'), 60000).unref();
same([idle.hasRef(), idle.ref().hasRef(), idle.unref().hasRef()], [false, true, false], 'ref and unref');
const again = setTimeout(() => console.log('never'), 60000);
const before = +again;
same([again.refresh() === again, +again !== before, again.close() === again], [true, true, true], 'refresh and close');
const byNumber = setTimeout(() => console.log('never'), 1);
clearTimeout(+byNumber);
throws(() => setTimeout('code'), 'TypeError', 'text is no handler');
throws(() => setTimeout(), 'TypeError', 'a handler is needed');
throws(() => setInterval(null, 1), 'TypeError', 'null is no handler');
throws(() => queueMicrotask(1), 'TypeError', 'a number is no microtask');
throws(() => setTimeout(() => { }, 1n), 'TypeError', 'a delay is a number');
throws(() => new setTimeout(() => { }), 'TypeError', 'not a constructor');
same([setTimeout.length, setTimeout.name, queueMicrotask.length], [1, 'setTimeout', 1], 'names and lengths');
console.log('sync');
