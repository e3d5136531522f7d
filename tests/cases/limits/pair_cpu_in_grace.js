// SPDX-License-Identifier: Apache-2.0
// The deadline passed, and in the grace the CPU time was used up: both tripped.
// args: --timeout 60ms --grace 10s --cpu 150ms
// outcome: cpu deadline
// tripped: deadline cpu
// stop.cause: cpu
for (;;);
