// SPDX-License-Identifier: Apache-2.0
// A script's last expression that has no JSON is null, with a note.
// outcome: ok
// value: null
// value_note: the value has no JSON: BigInt are forbidden in JSON.stringify
10n;
