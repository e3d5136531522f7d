;; expect: host_calls deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run")
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 1))
    (loop $l (drop (call $poll (i32.const 0) (i32.const 104) (i32.const 1) (i32.const 200))) (br $l))))
