;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (loop $l (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 8))) (br $l))))
