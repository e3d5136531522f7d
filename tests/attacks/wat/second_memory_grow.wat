;; expect: memory deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (memory $a 1)
  (memory $b 1)
  (memory $c 1)
  (func (export "run")
    (loop $l (drop (memory.grow $b (i32.const 1))) (drop (memory.grow $c (i32.const 1))) (br $l))))
