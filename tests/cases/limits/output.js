// SPDX-License-Identifier: Apache-2.0
// args: --output 100
// outcome: output
// tripped: output
// used.output_bytes: 100
// output_truncated: true
// stdout~: ^(12345678\n){11}1$
// frames: * native | ...
for (;;) console.log('12345678');
