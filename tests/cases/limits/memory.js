// SPDX-License-Identifier: Apache-2.0
// args: --memory 16MiB
// outcome: memory
// tripped: memory
// limits.memory_bytes: 16777216
// used.memory_peak_bytes: > 12000000
// frames: * native | grow memory.js:8:* | <anonymous> memory.js:9:*
function grow(kept = []) { for (;;) kept.push(new Array(1000).fill(0)); }
grow();
