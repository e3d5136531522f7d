// SPDX-License-Identifier: Apache-2.0
// A program that waits is stopped too, and uses no CPU time.
// args: --timeout 400ms
// outcome: deadline
// used.cpu_us: < 100000
// used.wall_us: >= 120000
// stdout: before
console.log('before');
setTimeout(() => console.log('after'), 60000);
