;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: table_out_of_bounds
;; frames: f call_out_of_bounds.wat@*
;; exit: 1
(module (type $v (func)) (table $t 1 funcref) (func $f (export "run") (call_indirect $t (type $v) (i32.const 1))))
