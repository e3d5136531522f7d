;; SPDX-License-Identifier: Apache-2.0
;; args: --call id
;; outcome: bad_program
;; error.name: TypeError
;; error.message~: ^id takes 2 parameters \(i32, f64\), got 0$
;; exit: 3
(module (func (export "id") (param i32 f64)))
