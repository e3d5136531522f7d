;; SPDX-License-Identifier: Apache-2.0
;; args: --call nope
;; outcome: bad_program
;; error.name: TypeError
;; error.message~: ^no function nope is exported; there are: run, id$
;; exit: 3
(module (func (export "run")) (func (export "id") (param i32) (result i32) local.get 0) (memory (export "memory") 1))
