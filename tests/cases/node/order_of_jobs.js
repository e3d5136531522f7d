// SPDX-License-Identifier: Apache-2.0
// In a script ticks come before other jobs, in a job after them, and timers before immediates.
// args: --node
// outcome: ok
// stdout: script
// stdout: a1
// stdout: end
// stdout: n1
// stdout: n2
// stdout: n nested
// stdout: p1
// stdout: m1
// stdout: a2
// stdout: p in n1
// stdout: p2
// stdout: n in p1
// stdout: timeout1
// stdout: n in t1
// stdout: p in t1
// stdout: timeout2
// stdout: immediate
// stdout: caught in a tick
const log = (text) => console.log(text);
log('script');
setTimeout(() => {
	log('timeout1');
	Promise.resolve().then(() => log('p in t1'));
	process.nextTick(() => log('n in t1'));
}, 0);
setTimeout(() => log('timeout2'), 0);
setTimeout(() => setImmediate(() => {
	log('immediate');
	process.once('uncaughtException', ({ message }) => log(message));
	process.nextTick(() => { throw new Error('caught in a tick'); });
}), 0);
Promise.resolve().then(() => {
	log('p1');
	process.nextTick(() => log('n in p1'));
}).then(() => log('p2'));
process.nextTick(() => {
	log('n1');
	process.nextTick(() => log('n nested'));
	Promise.resolve().then(() => log('p in n1'));
});
queueMicrotask(() => log('m1'));
process.nextTick((a, b) => log(a + b), 'n', 2);
(async () => {
	log('a1');
	await null;
	log('a2');
})();
log('end');
undefined;
