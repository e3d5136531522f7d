// SPDX-License-Identifier: Apache-2.0
// Nothing can settle the awaited promise, which is garbage at once. The run ends at once, whatever its deadline.
// args: --timeout unlimited
// outcome: unsettled
// stdout: before
// exit: 13
// error.name: unsettled
// error.message: the program awaits what nothing can settle
// frames: <anonymous> top_level.mjs:11:*
console.log('before');
await new Promise(() => {});
console.log('after');
