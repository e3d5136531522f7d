;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: CompileError
;; error.message~: ^unknown operator
;; exit: 3
;; frames: <anonymous> syntax.wat:9:20
(module
  (func (export "run")
    (i32.const 1) (drap)))
