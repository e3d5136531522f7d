// SPDX-License-Identifier: Apache-2.0
// A rejection that is handled before the jobs end is not reported.
// outcome: ok
// value: "fine"
const p = Promise.reject(new Error('handled'));
Promise.resolve().then(() => p.catch(() => {}));
'fine';
