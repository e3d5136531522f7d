;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: invalid_conversion_to_integer
;; frames: f invalid_conversion.wat@*
;; exit: 1
(module (func $f (export "run") (result i32) (i32.trunc_f64_s (f64.const nan))))
