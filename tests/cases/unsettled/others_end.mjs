// SPDX-License-Identifier: Apache-2.0
// Promises that the program does not wait for may stay pending: the program has ended.
// outcome: ok
// value: 7
async function forgotten() { await new Promise(() => {}); }
forgotten(); forgotten();
export default 7;
