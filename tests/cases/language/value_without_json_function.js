// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: null
// value_note: the value is a function, which has no JSON
() => 1;
