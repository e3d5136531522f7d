// SPDX-License-Identifier: Apache-2.0
// An endless loop is stopped.
// args: --timeout 400ms
// outcome: deadline
// tripped: deadline
// stop.cause: deadline
// stop.mode: soft or hard
// limits.timeout_us: 400000
// used.wall_us: >= 400000
// error.name: deadline
// frames: spin deadline.js:12:* | <anonymous> deadline.js:13:1
function spin() { for (;;); }
spin();
