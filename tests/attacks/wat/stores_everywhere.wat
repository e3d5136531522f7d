;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (memory 1000)
  (func (export "run") (local $at i32)
    (loop $l
      (i64.store (local.get $at) (i64.const -1))
      (local.set $at (i32.rem_u (i32.add (local.get $at) (i32.const 4096)) (i32.const 65535992)))
      (br $l))))
