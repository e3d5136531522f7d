// expect: threw deadline
// SPDX-License-Identifier: Apache-2.0
Error.stackTraceLimit = { valueOf() { for (;;); }, toString() { for (;;); } }; throw new Error('x')
