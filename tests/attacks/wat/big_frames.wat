;; expect: stack
;; SPDX-License-Identifier: Apache-2.0
(module
  (func $deep (param i64 i64) (result i64)
    (local i64 i64 i64 i64 i64 i64 i64 i64)
    (local.set 2 (i64.mul (local.get 0) (i64.const 3)))
    (local.set 3 (i64.mul (local.get 1) (i64.const 5)))
    (local.set 4 (i64.xor (local.get 2) (local.get 3)))
    (local.set 5 (call $deep (local.get 4) (local.get 2)))
    (i64.add (i64.add (local.get 5) (local.get 2)) (i64.add (local.get 3) (local.get 4))))
  (func (export "run") (result i64) (call $deep (i64.const 1) (i64.const 2))))
