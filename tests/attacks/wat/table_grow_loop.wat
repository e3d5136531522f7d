;; expect: memory deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (table $t 0 funcref)
  (func (export "run")
    (loop $l (drop (table.grow $t (ref.null func) (i32.const 1))) (br $l))))
