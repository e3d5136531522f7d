// SPDX-License-Identifier: Apache-2.0
// Writable and transform streams, byte streams, pipes, and the transforms of text.
// outcome: ok
// value: "done"
const same = (actual, expected, what) => {
	if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
};
const fails = async (action, name, what) => {
	try { await action(); } catch (error) { same(error?.name, name, what); return error; }
	throw new Error(`${what}: nothing thrown`);
};
const from = (...items) => new ReadableStream({ start(c) { items.forEach((item) => c.enqueue(item)); c.close(); } });
const collect = async (stream) => { const all = []; for await (const chunk of stream) all.push(chunk); return all; };
const into = (list, more) => new WritableStream({ write(chunk) { list.push(chunk); }, close() { list.push('closed'); }, abort(reason) { list.push('aborted ' + reason); }, ...more });

// Writers.
const log = [], w = into(log), writer = w.getWriter();
same([w.locked, writer.desiredSize], [true, 1], 'locked');
await Promise.all([writer.ready, writer.write(1), writer.write(2), writer.close()]);
same([log, writer.desiredSize], [[1, 2, 'closed'], 0], 'written');
await writer.closed;
await fails(() => writer.write(3), 'TypeError', 'after close');
writer.releaseLock();
await fails(() => writer.write(3), 'TypeError', 'released');
const aborted = [];
const a = into(aborted, { write: () => new Promise((resolve) => setTimeout(resolve, 5)) });
const aw = a.getWriter();
await new Promise((resolve) => setTimeout(resolve, 1));
aw.write(1);
const pending = aw.write(2).catch((reason) => aborted.push('second ' + reason));
await aw.abort('why');
await pending;
same(aborted.sort(), ['aborted why', 'second why'], 'abort');
await fails(() => into([], { start() { throw new RangeError('s') } }).getWriter(), 'RangeError', 'start throws');
const failing = into([], { write() { throw new RangeError('mine') } }).getWriter();
await fails(() => failing.write(1), 'RangeError', 'write throws');
await fails(() => failing.closed, 'RangeError', 'closed fails as well');
let signalled;
const signalling = new WritableStream({ start(c) { c.signal.onabort = () => { signalled = c.signal.reason; } } });
await signalling.abort('stop');
same(signalled, 'stop', 'the signal of a sink');

// Pipes.
const piped = [];
await from(1, 2, 3).pipeTo(into(piped));
same(piped, [1, 2, 3, 'closed'], 'pipeTo');
const open = [];
const target = into(open);
await from(1).pipeTo(target, { preventClose: true });
same([open, target.locked], [[1], false], 'preventClose');
let cancelled;
await fails(() => new ReadableStream({ pull(c) { c.enqueue(1) }, cancel(r) { cancelled = r.message } }).pipeTo(into([], { write() { throw new RangeError('full') } })), 'RangeError', 'sink fails');
same(cancelled, 'full', 'the source is cancelled');
const gone = [];
await fails(() => new ReadableStream({ start(c) { c.error(new RangeError('gone')) } }).pipeTo(into(gone)), 'RangeError', 'source fails');
same(gone, ['aborted RangeError: gone'], 'the sink is aborted');
const controller = new AbortController(), stopped = [];
const running = new ReadableStream({ pull: (c) => new Promise((r) => setTimeout(r, 1)).then(() => c.enqueue(1)) }).pipeTo(into(stopped, { write() {} }), { signal: controller.signal });
setTimeout(() => controller.abort(), 5);
await fails(() => running, 'AbortError', 'a pipe that is aborted');
await fails(() => from(1).pipeTo({}), 'TypeError', 'no destination');
const locked = from(1);
locked.getReader();
await fails(() => locked.pipeTo(into([])), 'TypeError', 'locked');

// Transforms.
const double = new TransformStream({ transform(chunk, c) { c.enqueue(chunk * 2); }, flush(c) { c.enqueue('end'); } });
same(await collect(from(1, 2).pipeThrough(double)), [2, 4, 'end'], 'transform');
same(await collect(from(1, 2).pipeThrough(new TransformStream())), [1, 2], 'identity');
const cut = new TransformStream({ transform(chunk, c) { c.enqueue(chunk); c.terminate(); } });
same(await collect(from(1, 2).pipeThrough(cut)), [1], 'terminate');
await fails(() => collect(from(1).pipeThrough(new TransformStream({ transform() { throw new RangeError('t') } }))), 'RangeError', 'transform throws');
await fails(() => new TransformStream({ readableType: 'x' }), 'RangeError', 'readableType');
same(await collect(from('a\ud83d', '\ude00b', '\ud800').pipeThrough(new TextEncoderStream()).pipeThrough(new TextDecoderStream())), ['a', '😀b', '\ufffd'], 'text streams');
same(await collect(from(new Uint8Array([0xe2, 0x82]), new Uint8Array([0xac])).pipeThrough(new TextDecoderStream())), ['€'], 'a character in two chunks');
await fails(() => collect(from(new Uint8Array([0xff])).pipeThrough(new TextDecoderStream('utf-8', { fatal: true }))), 'TypeError', 'fatal');
await fails(() => collect(from(1).pipeThrough(new TextDecoderStream())), 'TypeError', 'no bytes');
const decoder = new TextDecoderStream('latin1');
same([decoder.encoding, decoder.fatal, new TextEncoderStream().encoding], ['windows-1252', false, 'utf-8'], 'encoding');

// Bytes.
let given = 0;
const bytes = new ReadableStream({ type: 'bytes', pull(c) {
	const { byobRequest } = c;
	if (byobRequest) { new Uint8Array(byobRequest.view.buffer, byobRequest.view.byteOffset)[0] = ++given; byobRequest.respond(1); } else { c.enqueue(new Uint8Array([++given, ++given])); }
} });
const byob = bytes.getReader({ mode: 'byob' });
const first = await byob.read(new Uint8Array(8));
same([[...first.value], first.done, first.value.buffer.byteLength], [[1], false, 8], 'filled');
const wide = await byob.read(new Uint16Array(3), { min: 2 });
same([wide.value.constructor.name, [...new Uint8Array(wide.value.buffer, 0, 4)]], ['Uint16Array', [2, 3, 4, 5]], 'min');
const moved = new Uint8Array(2);
await byob.read(moved);
same(moved.byteLength, 0, 'a view is moved');
byob.releaseLock();
const [left, right] = bytes.tee();
const [l, r] = [left.getReader(), right.getReader({ mode: 'byob' })];
const [one, two] = await Promise.all([l.read(), r.read(new Uint8Array(2))]);
same([[...one.value].length > 0, two.value.length > 0, one.value.buffer !== two.value.buffer], [true, true, true], 'tee of bytes');
await fails(() => byob.read(new Uint8Array(1)), 'TypeError', 'released');
for (const bad of [() => r.read(new Uint8Array(0)), () => r.read(1), () => r.read(moved), () => r.read(new Uint8Array(1), { min: 0 }), () => from(1).getReader({ mode: 'byob' })])
	await fails(bad, 'TypeError', String(bad));
await fails(() => r.read(new Uint8Array(1), { min: 2 }), 'RangeError', 'min beyond the view');
await fails(() => new ReadableStream({ type: 'bytes' }, { size() {} }), 'RangeError', 'a size for bytes');
const allocated = await new ReadableStream({ type: 'bytes', autoAllocateChunkSize: 16, pull(c) { c.byobRequest.view[0] = 9; c.byobRequest.respond(1); c.close(); } }).getReader().read();
same([[...allocated.value], allocated.value.buffer.byteLength], [[9], 16], 'autoAllocateChunkSize');

// Queuing strategies.
const strategy = new ByteLengthQueuingStrategy({ highWaterMark: 10 });
same([strategy.highWaterMark, strategy.size(new Uint8Array(3)), new CountQueuingStrategy({ highWaterMark: 2 }).size()], [10, 3, 1], 'strategies');
let pulls = 0;
new ReadableStream({ pull(c) { pulls++; c.enqueue(new Uint8Array(4)); } }, strategy);
await new Promise((resolve) => setTimeout(resolve, 2));
same(pulls, 3, 'as much as the strategy says');
await fails(() => new CountQueuingStrategy({}), 'TypeError', 'no highWaterMark');

// A program's changes of prototypes do not affect this.
Promise.prototype.then = () => { throw new Error('tampered') };
Array.prototype.push = () => { throw new Error('tampered') };
ReadableStream.prototype.getReader = WritableStream.prototype.getWriter = () => { throw new Error('tampered') };
const untouched = [];
const through = from(1, 2).pipeThrough(new TransformStream({ transform(chunk, c) { c.enqueue(chunk + 1); } })).pipeTo(new WritableStream({ write(chunk) { untouched[untouched.length] = chunk; } }));
await through;
same(untouched, [2, 3], 'untouched');
export default 'done';
