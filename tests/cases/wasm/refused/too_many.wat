;; SPDX-License-Identifier: Apache-2.0
;; args: --call id --params [1,2]
;; outcome: bad_program
;; error.name: TypeError
;; error.message~: ^id takes 1 parameter \(i32\), got 2$
;; exit: 3
(module (func (export "id") (param i32)))
