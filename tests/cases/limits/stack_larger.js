// SPDX-License-Identifier: Apache-2.0
// args: --stack 4MiB
// outcome: ok
// value: true
let depth = 0;
try { (function f() { depth++; f() })() } catch {}
depth > 5000;
