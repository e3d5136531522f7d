;; expect: output
;; SPDX-License-Identifier: Apache-2.0
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 200)
  (func (export "run")
    (i32.store (i32.const 4) (i32.const 13000000))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 16)))))
