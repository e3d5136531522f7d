;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (func (export "run") (local $i i64) (local $j i64)
    (loop $outer
      (local.set $j (i64.const 0))
      (loop $middle
        (loop $inner
          (local.set $i (i64.add (local.get $i) (i64.const 1)))
          (br_if $inner (i64.ne (i64.rem_u (local.get $i) (i64.const 3)) (i64.const 0))))
        (local.set $j (i64.add (local.get $j) (i64.const 1)))
        (br_if $middle (i64.lt_u (local.get $j) (i64.const 5))))
      (br $outer))))
