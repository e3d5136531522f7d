;; SPDX-License-Identifier: Apache-2.0
;; The bounds are those of the memory that is accessed: the second one is smaller than the first.
;; args: --call run
;; outcome: trapped
;; exit: 1
(module
  (memory $a 100)
  (memory $b 1)
  (func (export "run") (memory.fill $b (i32.const 0) (i32.const 1) (i32.const 1000000))))
