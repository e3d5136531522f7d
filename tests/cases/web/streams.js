// SPDX-License-Identifier: Apache-2.0
// ReadableStream: its sources, and its readers.
// outcome: ok
// value: true
function same(actual, expected, what) {
	if (JSON.stringify(actual) !== JSON.stringify(expected))
		throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}
async function fails(action, name, what) {
	try {
		await action();
	} catch (error) {
		same(error.name, name, what);
		return;
	}
	throw new Error(`${what}: nothing thrown`);
}
const all = async (stream) => {
	const list = [];
	for await (const chunk of stream)
		list.push(chunk);
	return list;
};
const count = (n) => {
	let i = 0;
	return new ReadableStream({ pull(c) { if (i === n) c.close(); else c.enqueue(i++); } });
};

async function reading() {
	same(await all(count(5)), [0, 1, 2, 3, 4], 'for await');
	same((await all(count(20000))).length, 20000, 'many');
	const r = count(2).getReader();
	same([await r.read(), await r.read(), await r.read(), await r.read()],
		[{ value: 0, done: false }, { value: 1, done: false }, { done: true }, { done: true }], 'read');
	await r.closed;
	const s = count(3), one = s.getReader();
	same(s.locked, true, 'locked');
	await fails(() => s.getReader(), 'TypeError', 'locked twice');
	await fails(() => s.cancel(), 'TypeError', 'cancel of a locked one');
	await one.read();
	one.releaseLock();
	await fails(() => one.read(), 'TypeError', 'read after the release');
	await fails(() => one.closed, 'TypeError', 'closed after the release');
	same([s.locked, await all(s)], [false, [1, 2]], 'the rest');
	const order = [];
	const waiting = new ReadableStream({ start(c) { setTimeout(() => { c.enqueue('a'); c.enqueue('b'); c.close(); }, 5); } }).getReader();
	await Promise.all([waiting.read(), waiting.read(), waiting.read()].map((p, i) => p.then((x) => order.push([i, x.value ?? null]))));
	same(order, [[0, 'a'], [1, 'b'], [2, null]], 'requests in order');
}

async function sources() {
	const log = [];
	const s = new ReadableStream({
		start(c) { log.push('start ' + c.desiredSize); },
		pull(c) { log.push('pull ' + c.desiredSize); c.enqueue('x'); },
		cancel(reason) { log.push('cancel ' + reason); },
	}, { highWaterMark: 2 });
	await null;
	await null;
	await new Promise((done) => setTimeout(done, 1));
	same(log, ['start 2', 'pull 2', 'pull 1'], 'filled to the mark');
	await s.cancel('enough');
	same([log.at(-1), await all(s)], ['cancel enough', []], 'cancelled');
	const sized = new ReadableStream({ start(c) { c.enqueue('abc'); log.push(c.desiredSize); c.close(); } }, { highWaterMark: 10, size: (x) => x.length });
	same([log.at(-1), await all(sized)], [7, ['abc']], 'size');
	const bad = new ReadableStream({ start(c) { c.enqueue(1); c.error(new RangeError('no')); } });
	await fails(() => all(bad), 'RangeError', 'error');
	await fails(() => all(new ReadableStream({ pull() { throw new SyntaxError('x'); } })), 'SyntaxError', 'pull throws');
	await fails(() => all(new ReadableStream({ async pull() { throw new SyntaxError('x'); } })), 'SyntaxError', 'pull rejects');
	await fails(() => all(new ReadableStream({ async start() { throw new SyntaxError('x'); } })), 'SyntaxError', 'start rejects');
	await fails(() => new ReadableStream({ start() { throw new SyntaxError('x'); } }), 'SyntaxError', 'start throws');
	await fails(() => new ReadableStream({ cancel() { throw new SyntaxError('x'); } }).cancel(), 'SyntaxError', 'cancel throws');
	let controller;
	new ReadableStream({ start(c) { controller = c; } });
	controller.close();
	await fails(() => controller.enqueue(1), 'TypeError', 'enqueue after close');
	await fails(() => controller.close(), 'TypeError', 'close twice');
	for (const wrong of [() => new ReadableStream({ type: 'byte' }), () => new ReadableStream(null), () => new ReadableStream({ pull: 1 }), () => new ReadableStreamDefaultController(),
		() => new ReadableStreamDefaultReader({}), () => count(1).getReader({ mode: 'byob' }), () => ReadableStream.from(1)])
		await fails(wrong, 'TypeError', String(wrong));
	await fails(() => new ReadableStream({}, { highWaterMark: -1 }), 'RangeError', 'highWaterMark');
}

async function more() {
	const [a, b] = count(3).tee();
	same([await all(a), await all(b)], [[0, 1, 2], [0, 1, 2]], 'tee');
	let reason;
	const [c, d] = new ReadableStream({ cancel(r) { reason = r; } }).tee();
	const both = Promise.all([c.cancel(1), d.cancel(2)]);
	await both;
	same(reason, [1, 2], 'both cancelled');
	async function* generate() {
		try {
			yield 1;
			yield 2;
			yield 3;
		} finally {
			reason = 'returned';
		}
	}
	same(await all(ReadableStream.from(generate())), [1, 2, 3], 'from a generator');
	reason = null;
	for await (const x of ReadableStream.from(generate()))
		if (x === 2)
			break;
	same(reason, 'returned', 'break cancels');
	same(await all(ReadableStream.from(['a', Promise.resolve('b')])), ['a', 'b'], 'from a list');
	const kept = count(4);
	for await (const x of kept.values({ preventCancel: true }))
		if (x === 1)
			break;
	same(await all(kept), [2, 3], 'preventCancel');
	same([String(kept), ReadableStream.length, Object.keys(ReadableStream.prototype).sort().join()],
		['[object ReadableStream]', 0, 'cancel,getReader,locked,pipeThrough,pipeTo,tee,values'], 'names');
}

reading().then(sources).then(more).then(() => true);
