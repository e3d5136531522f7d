;; SPDX-License-Identifier: Apache-2.0
;; args: --call id --params [0,1.5]
;; outcome: bad_program
;; error.name: TypeError
;; error.message~: ^parameter 2: expected i64 .*, got 1\.5$
;; exit: 3
(module (func (export "id") (param i32 i64)))
