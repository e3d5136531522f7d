// SPDX-License-Identifier: Apache-2.0
// The smallest program with output, to measure the cost of a whole process.
console.log('hello');
