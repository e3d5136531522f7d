// SPDX-License-Identifier: Apache-2.0
// args: --output 12
// outcome: ok
// value: "12345678"
// used.output_bytes: 12
// stdout: 1
console.log(1);
'12345678';
