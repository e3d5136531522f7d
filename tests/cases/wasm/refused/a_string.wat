;; SPDX-License-Identifier: Apache-2.0
;; args: --call id --params '["x"]'
;; outcome: bad_program
;; error.name: TypeError
;; error.message~: ^parameter 1: expected f64 .*, got "x"$
;; exit: 3
(module (func (export "id") (param f64)))
