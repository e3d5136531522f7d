// SPDX-License-Identifier: Apache-2.0
// Deep is not quadratic, and too deep is told where.
// outcome: ok
// value_note~: ^the value has no JSON at \.\.\..*\[0\]\[0\]: Maximum call stack size exceeded$
let deep = []; for (let i = 0; i < 100000; i++) deep = [deep]; deep;
