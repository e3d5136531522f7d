// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: null
// value_note: the value has no JSON at .rows[3].total: Do not know how to serialize a BigInt
({ rows: [1, 2, 3, { total: 12345678901234567890n }] });
