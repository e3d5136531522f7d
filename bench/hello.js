// SPDX-License-Identifier: Apache-2.0
// The smallest program that shows it ran: what a whole process costs.
console.log('hello');
