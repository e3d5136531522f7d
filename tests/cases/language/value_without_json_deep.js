// SPDX-License-Identifier: Apache-2.0
// A deep value takes no quadratic time, and one that is too deep is reported with its place.
// outcome: ok
// value_note~: ^the value has no JSON at \.\.\..*\[0\]\[0\]: Maximum call stack size exceeded$
let deep = []; for (let i = 0; i < 100000; i++) deep = [deep]; deep;
