;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: table_out_of_bounds
;; frames: f table_out_of_bounds.wat@*
;; exit: 1
(module (table $t 1 funcref) (func $f (export "run") (result funcref) (table.get $t (i32.const 1))))
