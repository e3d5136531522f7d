;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (memory $a 450)
  (memory $b 450)
  (func (export "run")
    (loop $l
      (memory.copy $b $a (i32.const 0) (i32.const 0) (i32.const 29491200))
      (memory.copy $a $b (i32.const 0) (i32.const 0) (i32.const 29491200))
      (br $l))))
