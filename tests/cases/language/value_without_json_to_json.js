// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: null
// value_note: the value's toJSON gave nothing that has JSON
({ toJSON() { return undefined } });
