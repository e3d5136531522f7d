;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module (memory 1000) (func (export "run") (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000)) br $l)))
