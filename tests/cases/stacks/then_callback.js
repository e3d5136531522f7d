// SPDX-License-Identifier: Apache-2.0
// A job has no caller.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: hot then_callback.js:6:*
Promise.resolve().then(function hot() { for (;;); });
