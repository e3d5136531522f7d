// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: <anonymous> in_promise_executor.js:5:* | Promise native | <anonymous> in_promise_executor.js:5:*
new Promise(() => { for (;;); }).catch(() => console.log('caught'));
