;; expect: trapped memory output deadline
;; SPDX-License-Identifier: Apache-2.0
(component
  (core module $m
    (memory (export "memory") 400)
    (func (export "run") (result i32) (local $i i32)
      (loop $l
        (i32.store offset=16 (i32.shl (local.get $i) (i32.const 3)) (i32.const 16))
        (i32.store offset=20 (i32.shl (local.get $i) (i32.const 3)) (i32.const 1000000))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2000000))))
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 2000000))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "run") (result (list (list u8))) (canon lift (core func $i "run") (memory (core memory $i "memory")))))
