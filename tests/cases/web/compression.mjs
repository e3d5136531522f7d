// SPDX-License-Identifier: Apache-2.0
// CompressionStream and DecompressionStream: round trips in every format, damaged data, data after the end.
// outcome: ok
// value: "done"
const same = (actual, expected, what) => {
	if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
};
const fails = async (action, name, what) => {
	try { await action(); } catch (error) { same(error?.name, name, what); return error.message; }
	throw new Error(`${what}: nothing thrown`);
};
const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const through = async (input, stream) => new Uint8Array(await new Response(new Blob([input]).stream().pipeThrough(stream)).arrayBuffer());
const text = 'Vexing quick zephyrs jab my big wolf, d, e, f. ';
const long = new TextEncoder().encode(text.repeat(20000));
const noise = crypto.getRandomValues(new Uint8Array(65536));

for (const format of ['gzip', 'deflate', 'deflate-raw']) {
	for (const input of [new Uint8Array(0), new TextEncoder().encode('x'), long, noise]) {
		const packed = await through(input, new CompressionStream(format));
		const unpacked = await through(packed, new DecompressionStream(format));
		same([unpacked.length, unpacked.every((byte, i) => byte === input[i])], [input.length, true], format);
		if (input === long && packed.length > 10000) throw new Error(`${format}: ${packed.length}`);
	}
	// One byte at a time. The streams end with their source.
	const packed = await through(long.subarray(0, 500), new CompressionStream(format));
	const slow = new ReadableStream({ start(c) { packed.forEach((byte) => c.enqueue(Uint8Array.of(byte))); c.close(); } });
	same(await new Response(slow.pipeThrough(new DecompressionStream(format))).text(), text.repeat(11).slice(0, 500), 'bytewise');
	// Data that is truncated, damaged, or continues after its end.
	const early = await fails(() => through(packed.subarray(0, packed.length - 3), new DecompressionStream(format)), 'TypeError', 'early');
	same(early, `The ${format} data ends too early`, 'early');
	await fails(() => through(new Uint8Array(0), new DecompressionStream(format)), 'TypeError', 'nothing');
	const damaged = packed.slice();
	damaged[format === 'deflate-raw' ? 0 : packed.length - 2] ^= 0xff;
	await fails(() => through(damaged, new DecompressionStream(format)), 'TypeError', 'damaged');
	const behind = new Uint8Array(packed.length + 1);
	behind.set(packed);
	const extra = new DecompressionStream(format), writer = extra.writable.getWriter(), reader = extra.readable.getReader();
	writer.write(behind).catch(() => {});
	writer.close().catch(() => {});
	same((await reader.read()).value.length, 500, 'what was before');
	await fails(() => reader.read(), 'TypeError', 'behind');
	await fails(() => through(noise, new DecompressionStream(format)), 'TypeError', 'noise');
}

// Data from other programs.
same(new TextDecoder().decode(await through(bytes('1f8b0800000000000003cb48cdc9c95728cf2fca49010085114a0d0b000000'), new DecompressionStream('gzip'))), 'hello world', 'gzip');
same(new TextDecoder().decode(await through(bytes('789ccb48cdc9c95728cf2fca49e102001e720467'), new DecompressionStream('deflate'))), 'hello world\n', 'deflate');
same(Array.from(await through(new Uint8Array(0), new CompressionStream('deflate-raw'))), [3, 0], 'empty');

// Invalid formats and chunks.
await fails(() => new CompressionStream('brotlix'), 'TypeError', 'format');
await fails(() => new DecompressionStream('GZIP'), 'TypeError', 'case');
await fails(() => new CompressionStream(), 'TypeError', 'no format');
for (const chunk of [undefined, null, 1, 'text', {}, [1]]) {
	const stream = new CompressionStream('gzip'), reader = stream.readable.getReader(), writer = stream.writable.getWriter();
	const read = fails(() => reader.read(), 'TypeError', 'read of a bad chunk');
	await fails(() => writer.write(chunk), 'TypeError', 'bad chunk');
	await read;
}
// Every kind of view. The rest of its buffer is not used.
const view = new DataView(long.buffer, 7, 40), part = text.slice(7, 47);
same(await new Response(new ReadableStream({ start(c) { c.enqueue(view); c.close(); } })
	.pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'))).text(), part, 'a view');
// A stream without a reader holds only what was written.
const idle = new CompressionStream('gzip');
same(await Promise.race([idle.writable.getWriter().write(long).then(() => 'written'), new Promise((resolve) => setTimeout(resolve, 5, 'waits'))]), 'waits', 'back pressure');
same([Object.prototype.toString.call(idle), CompressionStream.length, idle.readable instanceof ReadableStream, idle.writable instanceof WritableStream],
	['[object CompressionStream]', 1, true, true], 'interface');
await fails(() => structuredClone(idle), 'DataCloneError', 'clone');
// Aborting, cancelling and damage while the reader is behind a chunk that has much output.
const bomb = await through(new Uint8Array(8 << 20), new CompressionStream('gzip'));
const opened = async (data) => {
	const stream = new DecompressionStream('gzip'), writer = stream.writable.getWriter(), reader = stream.readable.getReader();
	const written = writer.write(data).then(() => 'written', (error) => error?.name ?? error);
	return { writer, reader, written, first: (await reader.read()).value.length };
};
const rest = async ({ reader }) => {
	let length = 0;
	try { for (let read; !(read = await reader.read()).done;) length += read.value.length; } catch (error) { return error?.name ?? error; }
	return length;
};
const cancelled = await opened(bomb);
await cancelled.reader.cancel('enough');
same(await cancelled.written, 'enough', 'cancelled');
const aborted = await opened(bomb);
const abort = aborted.writer.abort('stop').then(() => 'aborted');
same([await rest(aborted), await aborted.written, await abort], ['stop', 'stop', 'aborted'], 'aborted');
const wrong = bomb.slice();
wrong[wrong.length - 5] ^= 1;
const late = await opened(wrong);
same([await rest(late), await late.written], ['TypeError', 'TypeError'], 'damaged at the end');
const gone = await opened(bomb), closing = gone.writer.close();
gone.writer.closed.catch(() => {});
const whole = await rest(gone);
same([whole + gone.first, await gone.written, await closing], [8 << 20, 'written', undefined], 'whole');
const detached = await opened(bomb);
structuredClone(bomb, { transfer: [bomb.buffer] });
detached.writer.close().catch(() => {});
same([await rest(detached), await detached.written], ['TypeError', 'TypeError'], 'detached');
export default 'done';
