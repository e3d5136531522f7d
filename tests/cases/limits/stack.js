// SPDX-License-Identifier: Apache-2.0
// args: --stack 32KiB
// outcome: threw
// error.name: RangeError
// limits.stack_bytes: 32768
(function f() { f() })();
