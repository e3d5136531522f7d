;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: ok or exited
;; exit: 0
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "run") (call $exit (i32.const 0)) (loop $l (br $l))))
