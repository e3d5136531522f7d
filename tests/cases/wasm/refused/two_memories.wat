;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: CompileError
;; error.message~: multi
;; exit: 3
(module (memory 1) (memory 1))
