;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (func (export "run") (local $i i32)
    (loop $a (br_if $a (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))
    (loop $b (br_if $b (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 200000))))
    (loop $c (br $c))))
