// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: null
// value_note: the value has no JSON at ["a b"]: mine
// partial: 1
curfew.checkpoint(1);
({ 'a b': { toJSON() { throw new RangeError('mine'); } } });
