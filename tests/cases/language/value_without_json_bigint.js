// SPDX-License-Identifier: Apache-2.0
// If a script's last expression has no JSON, the value is null, with a note.
// outcome: ok
// value: null
// value_note: the value has no JSON: Do not know how to serialize a BigInt
10n;
