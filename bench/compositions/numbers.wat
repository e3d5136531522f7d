;; SPDX-License-Identifier: Apache-2.0
;; One component calls another with numbers, again and again: what an adapter of nothing but numbers costs.
(component
  (component $a
    (core module $m (global $sum (mut i32) (i32.const 0))
      (func (export "add") (param i32) (result i32)
        (global.set $sum (i32.add (i32.mul (global.get $sum) (i32.const 31)) (local.get 0))) (global.get $sum)))
    (core instance $i (instantiate $m))
    (func (export "add") (param "n" u32) (result u32) (canon lift (core func $i "add"))))
  (component $b
    (import "add" (func $add (param "n" u32) (result u32)))
    (core func $lowered (canon lower (func $add)))
    (core module $m (import "i" "add" (func $add (param i32) (result i32)))
      (func (export "run") (result i32) (local $n i32) (local $last i32)
        (loop $l
          (local.set $last (call $add (local.get $n)))
          (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000000))))
        (local.get $last)))
    (core instance $i (instantiate $m (with "i" (instance (export "add" (func $lowered))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $ia (instantiate $a))
  (instance $ib (instantiate $b (with "add" (func $ia "add"))))
  (export "run" (func $ib "run")))
