// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: hot in_timer.js:5:*
setTimeout(function hot() { for (;;); }, 1);
