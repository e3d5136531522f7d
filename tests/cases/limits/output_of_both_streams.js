// SPDX-License-Identifier: Apache-2.0
// args: --output 20
// outcome: output
// stdout: 123456789
// stderr: 123456789
console.log('123456789');
console.error('123456789');
console.log('x');
