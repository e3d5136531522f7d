// SPDX-License-Identifier: Apache-2.0
// Expands 16 KiB to 16 MiB of zeros, again and again. The result is in the program's memory, and exceeds its limit.
// args: --memory 24MiB
// outcome: memory
const packer = new CompressionStream('gzip');
const writer = packer.writable.getWriter();
const packed = new Response(packer.readable).arrayBuffer();
for (let i = 0; i < 64; i++) await writer.write(new Uint8Array(65536 * 4));
await writer.close();
const bomb = await packed;
if (bomb.byteLength > 40000) throw new Error('no bomb');
await new Response(new Blob([bomb]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
