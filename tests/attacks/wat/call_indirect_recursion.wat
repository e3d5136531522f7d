;; expect: stack
;; SPDX-License-Identifier: Apache-2.0
(module
  (type $f (func (param i32) (result i32)))
  (table 2 funcref)
  (elem (i32.const 0) $a $b)
  (func $a (type $f) (i32.add (i32.const 1) (call_indirect (type $f) (local.get 0) (i32.const 1))))
  (func $b (type $f) (i32.add (i32.const 1) (call_indirect (type $f) (local.get 0) (i32.const 0))))
  (func (export "run") (result i32) (call $a (i32.const 0))))
