// expect: deadline stack
// SPDX-License-Identifier: Apache-2.0
(function f() { try { f() } catch { f() } finally { f() } })()
