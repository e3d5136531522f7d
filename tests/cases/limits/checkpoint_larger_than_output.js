// SPDX-License-Identifier: Apache-2.0
// A checkpoint that is too large throws an error and is no output, so the run continues.
// args: --output 64
// outcome: threw
// error.name: RangeError
// error.message~: ^The argument of checkpoint is larger than the output limit
// partial: "small"
// used.output_bytes: 5
// stdout: next
curfew.checkpoint('small');
console.log('next');
curfew.checkpoint('x'.repeat(63));
