;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: CompileError
;; error.message~: shared memories \(threads\) are not supported
;; exit: 3
(module (memory 1 1 shared))
