;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (func (export "run") (local $v v128)
    (loop $l
      (local.set $v (i32x4.add (local.get $v) (v128.const i32x4 1 2 3 4)))
      (br_if $l (i32.eqz (i8x16.all_true (local.get $v))))
      (br $l))))
