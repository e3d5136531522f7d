// SPDX-License-Identifier: Apache-2.0
// What JSON shows whole has no note: also what has toJSON, and what a program has stringified itself before.
// outcome: ok
// value: [{},[],"1970-01-01T00:00:00.000Z",{"a":1},{},"{}"]
// value_note: null
class Kept {
	a = 1;
}
[{}, [], new Date(0), new Kept(), Object.create(null), JSON.stringify(new Map([[1, 2]]))];
