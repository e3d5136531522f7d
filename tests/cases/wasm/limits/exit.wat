;; SPDX-License-Identifier: Apache-2.0
;; An exit is no stop.
;; args: --call run
;; outcome: exited
;; error.name: exit
;; error.message: exit code 200
;; exit: 200
;; stop: null
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "run") (call $exit (i32.const 200)) (loop $l (br $l))))
