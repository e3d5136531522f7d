;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: LinkError
;; error.message~: fd_write
;; exit: 3
(module (import "wasi_snapshot_preview1" "fd_write" (func (param i64))) (memory (export "memory") 1))
