;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: memory_out_of_bounds
;; frames: f memory_init_dropped.wat@*
;; exit: 1
(module
  (memory 1)
  (data $d "abc")
  (func $f (export "run") (data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 100))))
