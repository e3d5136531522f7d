;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: memory_out_of_bounds
;; frames: f memory_fill.wat@*
;; exit: 1
(module
  (memory 1)
  (func $f (export "run") (memory.fill (i32.const 1) (i32.const 0) (i32.const 65536))))
