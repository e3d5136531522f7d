// SPDX-License-Identifier: Apache-2.0
// A value that throws on the way to JSON has none.
// outcome: ok
// value: null
// partial: 1
curfew.checkpoint(1);
({ toJSON() { throw new RangeError('mine'); } });
