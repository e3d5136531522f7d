// SPDX-License-Identifier: Apache-2.0
// 16 MiB of zeros in 16 KiB, again and again: what a bomb becomes is the program's, and meets its memory limit.
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
