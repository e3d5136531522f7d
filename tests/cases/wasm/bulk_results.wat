;; SPDX-License-Identifier: Apache-2.0
;; Bulk instructions are rewritten, with the same effect.
;; args: --call run
;; outcome: ok
;; value: [1,10,5,4,0]
(module
  (memory 4)
  (table $t 10 funcref)
  (table $u 10 funcref)
  (func $f (result i32) (i32.const 5))
  (elem declare func $f)
  (elem $e func $f $f)
  (data $d "abcdefghij")
  (type $g (func (result i32)))
  (func (export "run") (result i32 i32 i32 i32 i32) (local $i i32) (local $sum i32)
    ;; An overlapping copy, forwards and backwards, across pages.
    (memory.init $d (i32.const 65530) (i32.const 0) (i32.const 10))
    (memory.copy (i32.const 65533) (i32.const 65530) (i32.const 10))
    (memory.copy (i32.const 65529) (i32.const 65533) (i32.const 10))
    (memory.fill (i32.const 131070) (i32.const 1) (i32.const 10))
    (loop $l
      (local.set $sum (i32.add (local.get $sum) (i32.load8_u (i32.add (i32.const 131066) (local.get $i)))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20))))
    (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2))
    (table.copy $u $t (i32.const 3) (i32.const 0) (i32.const 2))
    (table.fill $u (i32.const 6) (ref.func $f) (i32.const 2))
    (i32.eq (i32.load8_u (i32.const 65538)) (i32.const 0x6a))
    (local.get $sum)
    (call_indirect $u (type $g) (i32.const 7))
    (local.set $sum (i32.const 0))
    (local.set $i (i32.const 0))
    (loop $l
      (if (i32.eqz (ref.is_null (table.get $u (local.get $i)))) (then (local.set $sum (i32.add (local.get $sum) (i32.const 1)))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10))))
    (local.get $sum)
    (ref.is_null (table.get $u (i32.const 7)))))
