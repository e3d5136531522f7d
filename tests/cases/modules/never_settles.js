// SPDX-License-Identifier: Apache-2.0
// args: --timeout 100ms
// outcome: deadline
// stdout: before
console.log('before');
await new Promise(() => {});
console.log('after');
