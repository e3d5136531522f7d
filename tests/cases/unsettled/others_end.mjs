// SPDX-License-Identifier: Apache-2.0
// What is not waited for may stay as it is: the program has ended.
// outcome: ok
// value: 7
async function forgotten() { await new Promise(() => {}); }
forgotten(); forgotten();
export default 7;
