;; expect: host_calls deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 100)
  (func (export "run") (loop $l (drop (call $random (i32.const 0) (i32.const 1000))) (br $l))))
