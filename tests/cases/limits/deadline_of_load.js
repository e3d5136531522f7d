// SPDX-License-Identifier: Apache-2.0
// A deadline that has passed before the program begins.
// args: --timeout 1us
// outcome: deadline
// stdout~: ^$
console.log('never reached');
