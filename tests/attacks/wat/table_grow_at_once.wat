;; expect: memory deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  ;; As much as fits at once, filled with something.
  (table $t 0 funcref)
  (elem declare func $f)
  (func $f)
  (func (export "run")
    (loop $l (drop (table.grow $t (ref.func $f) (i32.const 7000000))) (br $l))))
