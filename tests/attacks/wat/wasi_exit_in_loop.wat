;; expect: exited
;; SPDX-License-Identifier: Apache-2.0
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $f (param i32)
    (if (i32.eq (local.get 0) (i32.const 200)) (then (call $exit (i32.const 3))))
    (call $f (i32.add (local.get 0) (i32.const 1))))
  (func (export "run") (loop $l (call $f (i32.const 0)) (br $l))))
