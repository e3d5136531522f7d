// SPDX-License-Identifier: Apache-2.0
// A returned value that has no JSON is an error that says where it is.
// outcome: threw
// error.name: TypeError
// error.message: the value has no JSON at .rows[3].total: Do not know how to serialize a BigInt
// error.cause.name: TypeError
export default { rows: [1, 2, 3, { total: 10n }] };
