// SPDX-License-Identifier: Apache-2.0
// A getter that destructuring reads.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: get a destructuring.js:6:* | <anonymous> destructuring.js:7:*
const o = { get a() { for (;;); } };
const { a } = o;
