;; expect: memory
;; SPDX-License-Identifier: Apache-2.0
(module
  (table $t 0 externref)
  (func (export "run") (result i32)
    (table.grow $t (ref.null extern) (i32.const 0x7fffffff))))
