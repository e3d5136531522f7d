;; SPDX-License-Identifier: Apache-2.0
;; args: --call id --params [4294967296]
;; outcome: bad_program
;; error.name: TypeError
;; error.message~: ^parameter 1: expected i32 \(-2147483648 to 4294967295\), got 4294967296$
;; exit: 3
(module (func (export "id") (param i32)))
