;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module (memory 1) (memory $b 900) (func (export "run") (loop $l (memory.fill $b (i32.const 0) (i32.const 1) (i32.const 58982400)) br $l)))
