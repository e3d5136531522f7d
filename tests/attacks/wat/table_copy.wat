;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (table $t 1000000 funcref)
  (func (export "run")
    (loop $l (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 999999)) (br $l))))
