;; expect: memory
;; SPDX-License-Identifier: Apache-2.0
(module (memory 1) (func (export "run") (drop (memory.grow (i32.const 65535))) (loop $l (br $l))))
