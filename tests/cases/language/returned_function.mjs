// SPDX-License-Identifier: Apache-2.0
// args: --call main
// outcome: ok
// value: null
// value_note: the value is a function, which has no JSON
export const main = () => () => 1;
