;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (memory 16)
  (data $giant "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
  (func (export "run")
    (loop $l (memory.init $giant (i32.const 1) (i32.const 0) (i32.const 64)) (br $l))))
