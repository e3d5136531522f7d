// SPDX-License-Identifier: Apache-2.0
// The deadline stops endless packing and unpacking that keeps nothing.
// args: --timeout 300ms
// outcome: deadline
for (;;) {
	const input = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1 << 20)); } });
	const output = input.pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'));
	for await (const chunk of output) if (chunk.length === 0) throw new Error('empty');
}
