// SPDX-License-Identifier: Apache-2.0
// An indirect eval.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: hot <*:1:* | * <*:1:* | * | ...
(0, eval)('function hot() { for (;;); } hot()');
