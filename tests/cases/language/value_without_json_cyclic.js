// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: null
// value_note: the value has no JSON at [1].self: Converting circular structure to JSON
const a = [0, {}]; a[1].self = a; a;
