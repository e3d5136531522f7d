// SPDX-License-Identifier: Apache-2.0
// Without a grace no code of the program runs after the deadline.
// args: --timeout 100ms
// outcome: deadline
// stop.mode: soft or hard
// stdout~: ^$
while (!curfew.signal.aborted);
console.log('not reached');
