// SPDX-License-Identifier: Apache-2.0
// Clones of plain data count as memory.
// args: --memory 16MiB --timeout 60s
// outcome: memory
// tripped: memory
let kept = JSON.parse('[' + '{"a":{},"b":[[]]},'.repeat(1000) + '0]');
for (;;)
	kept = [kept, structuredClone(kept)];
