;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (type $f (func (param i32)))
  (table 2 funcref)
  (elem (i32.const 0) $a $b)
  (func $a (type $f) (return_call_indirect (type $f) (i32.const 1) (i32.const 1)))
  (func $b (type $f) (return_call_indirect (type $f) (i32.const 1) (i32.const 0)))
  (func (export "run") (call $a (i32.const 0))))
