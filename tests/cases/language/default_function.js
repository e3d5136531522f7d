// SPDX-License-Identifier: Apache-2.0
// args: --params '[20, 22]'
// outcome: ok
// value: 42
export default function add(a, b) { return a + b }
