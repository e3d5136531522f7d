;; expect: memory deadline
;; SPDX-License-Identifier: Apache-2.0
(component
  (core module $m
    (memory 1)
    (func (export "run") (loop $l (drop (memory.grow (i32.const 1))) (br $l))))
  (core instance $i (instantiate $m))
  (func (export "run") (canon lift (core func $i "run"))))
