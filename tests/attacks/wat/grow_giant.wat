;; expect: memory
;; SPDX-License-Identifier: Apache-2.0
(module (memory 1) (func (export "run") (result i32) (memory.grow (i32.const 65535))))
