// SPDX-License-Identifier: Apache-2.0
// The deadline passes before the program starts.
// args: --timeout 1us
// outcome: deadline
// stdout~: ^$
console.log('never reached');
