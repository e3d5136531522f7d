// SPDX-License-Identifier: Apache-2.0
// args: --cpu 80ms
// outcome: cpu
// tripped: cpu
// used.cpu_us: >= 80000
// limits.cpu_us: 80000
// frames: <anonymous> cpu.js:8:*
for (;;);
