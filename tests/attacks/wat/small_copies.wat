;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (memory 1)
  (func (export "run") (local $i i32)
    (loop $l
      (memory.copy (i32.and (local.get $i) (i32.const 0xfff)) (i32.const 8192) (i32.const 7))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $l))))
