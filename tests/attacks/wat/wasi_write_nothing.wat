;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (loop $l (drop (call $write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 16))) (br $l))))
