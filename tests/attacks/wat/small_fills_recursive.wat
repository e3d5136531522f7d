;; expect: deadline stack
;; SPDX-License-Identifier: Apache-2.0
(module
  (memory 1)
  (func $f (param i32)
    (memory.fill (i32.const 0) (local.get 0) (i32.const 1))
    (if (i32.lt_u (local.get 0) (i32.const 60))
      (then (call $f (i32.add (local.get 0) (i32.const 1))) (call $f (i32.add (local.get 0) (i32.const 1))))))
  (func (export "run") (call $f (i32.const 0))))
