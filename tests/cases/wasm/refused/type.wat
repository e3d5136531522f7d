;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: CompileError
;; error.message~: type mismatch
;; exit: 3
(module (func (export "run") (result i32) (i64.const 1)))
