// SPDX-License-Identifier: Apache-2.0
// A job has no caller.
// args: --timeout 80ms
// outcome: deadline
// frames: hot then_callback.js:6:*
Promise.resolve().then(function hot() { for (;;); });
