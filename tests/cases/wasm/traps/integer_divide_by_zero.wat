;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: integer_divide_by_zero
;; frames: f integer_divide_by_zero.wat@*
;; exit: 1
(module (func $f (export "run") (param) (result i32) (i32.rem_s (i32.const 1) (i32.const 0))))
