;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: memory_out_of_bounds
;; frames: f memory_out_of_bounds.wat@*
;; exit: 1
(module (memory 1) (func $f (export "run") (result i32) (i32.load (i32.const 65533))))
