// SPDX-License-Identifier: Apache-2.0
// Data that is packed a thousand times smaller is unpacked as fast as it is read, in little memory.
// args: --memory 16MiB --timeout 60s
// outcome: ok
// value: 100663296
const MEGABYTES = 96;
let left = MEGABYTES;
const zeros = new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(new Uint8Array(1 << 20)); else c.close(); } });
const packed = await new Response(zeros.pipeThrough(new CompressionStream('gzip'))).bytes();
let length = 0;
for await (const piece of new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')))
	length += piece.length;
export default length;
