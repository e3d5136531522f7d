;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (table $a 1000000 funcref)
  (table $b 1000000 funcref)
  (func $f)
  (elem (table $a) (i32.const 0) func $f)
  (func (export "run")
    (loop $l
      (table.copy $b $a (i32.const 0) (i32.const 0) (i32.const 1000000))
      (table.copy $a $b (i32.const 0) (i32.const 0) (i32.const 1000000))
      (br $l))))
