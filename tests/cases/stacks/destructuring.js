// SPDX-License-Identifier: Apache-2.0
// A getter that destructuring reads.
// args: --timeout 80ms
// outcome: deadline
// frames: get a destructuring.js:6:* | <anonymous> destructuring.js:7:*
const o = { get a() { for (;;); } };
const { a } = o;
