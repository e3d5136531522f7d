;; SPDX-License-Identifier: Apache-2.0
;; args: --call g
;; outcome: bad_program
;; error.name: TypeError
;; error.message~: ^no function g is exported: it is a global; there are: run$
;; exit: 3
(module (global (export "g") i32 (i32.const 1)) (func (export "run")))
