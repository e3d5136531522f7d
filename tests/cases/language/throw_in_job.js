// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: in a job
// stdout: sync
queueMicrotask(() => { throw new Error('in a job') });
console.log('sync');
