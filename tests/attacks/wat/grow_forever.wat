;; expect: memory deadline
;; SPDX-License-Identifier: Apache-2.0
(module (memory 1) (func (export "run") (loop $l (drop (memory.grow (i32.const 1))) br $l)))
