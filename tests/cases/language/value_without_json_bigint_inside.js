// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: null
// value_note: the value has no JSON at .rows[3].total: BigInt are forbidden in JSON.stringify
({ rows: [1, 2, 3, { total: 12345678901234567890n }] });
