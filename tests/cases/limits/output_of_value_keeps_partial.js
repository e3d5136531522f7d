// SPDX-License-Identifier: Apache-2.0
// args: --output 1KiB
// outcome: output
// tripped: output
// partial: {"done":3}
// value: null
curfew.checkpoint({ done: 3 });
Array.from({ length: 1000 }, (_, i) => i);
