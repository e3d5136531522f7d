// SPDX-License-Identifier: Apache-2.0
// Too large a checkpoint is refused by an error and is no output: the run goes on.
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
