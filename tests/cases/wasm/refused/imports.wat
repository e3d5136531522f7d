;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: LinkError
;; error.message~: ^unknown imports: env\.foo \(i32\) -> i64, env\.bar .*, other\.baz .*, wasi_snapshot_preview1\.fd_nothing
;; exit: 3
(module
  (import "env" "foo" (func (param i32) (result i64)))
  (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
  (import "env" "bar" (memory 1))
  (import "other" "baz" (global i32))
  (import "wasi_snapshot_preview1" "fd_nothing" (func)))
