;; SPDX-License-Identifier: Apache-2.0
;; One component passes another a list of 500 tuples, again and again: most of the time goes into the adapter's own loop.
(component
  (component $a
    (core module $m (memory (export "mem") 4)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "take") (param i32 i32) (result i32)
        (i32.add (local.get 1) (i32.load offset=4 (local.get 0)))))
    (core instance $i (instantiate $m))
    (func (export "take") (param "l" (list (tuple u8 u32))) (result u32)
      (canon lift (core func $i "take") (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))
  (component $b
    (import "take" (func $take (param "l" (list (tuple u8 u32))) (result u32)))
    (core module $libc (memory (export "mem") 4))
    (core instance $libc (instantiate $libc))
    (core func $lowered (canon lower (func $take) (memory (core memory $libc "mem"))))
    (core module $m (import "i" "take" (func $take (param i32 i32) (result i32))) (import "i" "mem" (memory 4))
      (func (export "run") (result i32) (local $n i32) (local $sum i32)
        (loop $l
          (i32.store offset=4 (i32.const 0) (local.get $n))
          (local.set $sum (i32.add (local.get $sum) (call $take (i32.const 0) (i32.const 500))))
          (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 10000))))
        (local.get $sum)))
    (core instance $i (instantiate $m
      (with "i" (instance (export "take" (func $lowered)) (export "mem" (memory $libc "mem"))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $ia (instantiate $a))
  (instance $ib (instantiate $b (with "take" (func $ia "take"))))
  (export "run" (func $ib "run")))
