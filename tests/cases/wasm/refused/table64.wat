;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: CompileError
;; error.message~: elements of a table
;; exit: 3
(module (table (export "t") i64 0 0x10000000000 funcref))
