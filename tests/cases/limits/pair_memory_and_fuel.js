// SPDX-License-Identifier: Apache-2.0
// args: --fuel 10G --memory 16MiB
// outcome: memory
// tripped: memory
const kept = [];
for (;;) kept.push(new Array(1000).fill(0));
