// SPDX-License-Identifier: Apache-2.0
// The limit that is exceeded first is the outcome.
// args: --timeout 5s --output 10
// outcome: output
// stdout~: ^.{0,10}
for (;;) console.log('x'.repeat(9));
