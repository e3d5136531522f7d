;; SPDX-License-Identifier: Apache-2.0
;; The memory in which fuel is counted is known by this: no guest can have one.
;; outcome: bad_program
;; error.name: CompileError
;; error.message~: custom page sizes
;; exit: 3
(module (memory i64 65536 65536 (pagesize 1)))
