// SPDX-License-Identifier: Apache-2.0
// After the deadline, in the grace, the CPU limit is exceeded: both are in tripped.
// args: --timeout 400ms --grace 10s --cpu 600ms
// outcome: cpu deadline
// tripped: deadline cpu
// stop.cause: cpu
for (;;);
