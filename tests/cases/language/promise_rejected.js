// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: RangeError
// error.message: too late
// frames: <anonymous> promise_rejected.js:6:* | ...
new Promise((_, reject) => setTimeout(() => reject(new RangeError('too late')), 5));
