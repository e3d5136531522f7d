// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms --grace 10s --output 10
// outcome: output deadline
// tripped: deadline output
// stop.cause: output
// stdout~: ^x
while (!curfew.signal.aborted);
for (;;) console.log('x'.repeat(9));
