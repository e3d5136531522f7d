;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: table_out_of_bounds
;; frames: f table_init.wat@*
;; exit: 1
(module
  (table $t 9 funcref)
  (func $g)
  (elem $e func $g)
  (func $f (export "run") (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 100))))
