;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: table_out_of_bounds
;; frames: f table_copy.wat@*
;; exit: 1
(module (table $t 9 funcref) (func $f (export "run") (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 100))))
