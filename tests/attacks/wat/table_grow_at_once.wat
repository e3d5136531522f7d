;; expect: memory deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  ;; As many elements as fit at once, filled with a value.
  (table $t 0 funcref)
  (elem declare func $f)
  (func $f)
  (func (export "run")
    (loop $l (drop (table.grow $t (ref.func $f) (i32.const 7000000))) (br $l))))
