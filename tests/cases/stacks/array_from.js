// SPDX-License-Identifier: Apache-2.0
// A callback of Array.from.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: make array_from.js:6:* | from native | <anonymous> array_from.js:7:*
function make() { for (;;); }
Array.from({ length: 3 }, make);
