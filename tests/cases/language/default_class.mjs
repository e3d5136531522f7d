// SPDX-License-Identifier: Apache-2.0
// A class that is exported as default is not called: it is a value.
// args: --params [1,2]
// outcome: ok
// value: null
// value_note: the value is a function, which has no JSON
export default class Shape {}
