;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: CompileError
;; error.message~: threads
;; exit: 3
(module (memory 1 1 shared))
