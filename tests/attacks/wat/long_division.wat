;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (func (export "run") (local $x i64)
    (local.set $x (i64.const 0x7fffffffffffffff))
    (loop $l
      (local.set $x (i64.div_s (i64.const 0x7fffffffffffffff) (i64.or (i64.rem_s (local.get $x) (i64.const 1000003)) (i64.const 1))))
      (br $l))))
