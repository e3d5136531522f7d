// SPDX-License-Identifier: Apache-2.0
// JSON shows a Map as {}, so a note says that there was one.
// outcome: ok
// value: {"rows":[1,{"total":{}}],"plain":{},"bytes":{},"also":{}}
// value_note: the value has a Map at .rows[1].total, which JSON shows as {}
({ rows: [1, { total: new Map([['a', 1]]) }], plain: {}, bytes: new Uint8Array(), also: new Set([1]) });
