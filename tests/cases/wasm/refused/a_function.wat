;; SPDX-License-Identifier: Apache-2.0
;; args: --call id --params '["x"]'
;; outcome: bad_program
;; error.name: TypeError
;; error.message~: ^parameter 1: expected funcref
;; exit: 3
(module (func (export "id") (param funcref)))
