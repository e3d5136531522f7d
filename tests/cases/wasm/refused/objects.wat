;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: CompileError
;; error.message~: gc|heap types|types
;; exit: 3
(module (type (array i8)) (func (export "run") (result i32) (array.len (array.new_default 0 (i32.const 1)))))
