;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: ok
;; value: [-1,10,10,5010,7505,7505,7,5,-1]
(module
  ;; The table grows in pieces, but completely or not at all. The result is the size before, and new elements have the value.
  (table $t 10 20000 funcref)
  (table $u 5 externref)
  (elem declare func $f)
  (type $seven (func (result i32)))
  (func $f (type $seven) (i32.const 7))
  (func $grow (param i32) (result i32) (table.grow $t (ref.func $f) (local.get 0)))
  (func (export "run") (result i32 i32 i32 i32 i32 i32 i32 i32 i32)
    (call $grow (i32.const 19991))
    (call $grow (i32.const 0))
    (call $grow (i32.const 5000))
    (call $grow (i32.const 2495))
    (table.size $t)
    (call $grow (i32.const 12495))
    (call_indirect $t (type $seven) (i32.const 19999))
    (table.grow $u (ref.null extern) (i32.const 100000))
    (call $grow (i32.const 1))))
