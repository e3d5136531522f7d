// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: hot in_job.js:5:*
Promise.resolve().then(function hot() { for (;;); }).catch(() => console.log('caught'));
