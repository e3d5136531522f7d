// SPDX-License-Identifier: Apache-2.0
// args: --output 100 --loops 100k
// outcome: output
// stdout~: ^x
for (;;) console.log('x'.repeat(60));
