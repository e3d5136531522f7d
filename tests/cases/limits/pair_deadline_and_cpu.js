// SPDX-License-Identifier: Apache-2.0
// args: --timeout 200ms --cpu 200ms --grace 0ms
// outcome: deadline cpu
for (;;);
