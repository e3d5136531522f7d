;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: integer_overflow
;; frames: f integer_overflow.wat@*
;; exit: 1
(module (func $f (export "run") (result i64) (i64.div_s (i64.const 0x8000000000000000) (i64.const -1))))
