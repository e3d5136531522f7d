// SPDX-License-Identifier: Apache-2.0
// The JSON of a value that doubles with each level fits in no memory.
// args: --memory 16MiB --timeout 20s
// outcome: memory
// partial: {"level":0}
curfew.checkpoint({ level: 0 });
let value = 'x'.repeat(1000);
for (let i = 0; i < 30; i++) value = [value, value];
try { curfew.checkpoint(value); } catch { curfew.checkpoint('caught'); }
