;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: CompileError
;; error.message~: start
;; exit: 3
(module (func $s (param i32)) (start $s))
