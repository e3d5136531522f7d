;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: CompileError
;; error.message~: memory64
;; exit: 3
(module (memory i64 1))
