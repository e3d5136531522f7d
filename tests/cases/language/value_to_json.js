// SPDX-License-Identifier: Apache-2.0
// The value is converted like in JSON.stringify.
// outcome: ok
// value: {"date":"1970-01-01T00:00:00.000Z","own":7,"list":[null,null,1],"map":{}}
({ date: new Date(0), own: { toJSON: () => 7 }, list: [undefined, () => 1, 1], skipped: undefined, map: new Map([[1, 2]]) });
