;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: memory_out_of_bounds
;; frames: f memory_far_out_of_bounds.wat@*
;; exit: 1
(module (memory 1) (func $f (export "run") (result i32) (i32.load offset=0xffffffff (i32.const -1))))
