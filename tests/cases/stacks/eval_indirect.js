// SPDX-License-Identifier: Apache-2.0
// An indirect eval.
// args: --timeout 80ms
// outcome: deadline
// frames: hot <*:1:* | * <*:1:* | * | ...
(0, eval)('function hot() { for (;;); } hot()');
