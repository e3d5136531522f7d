;; expect: trapped deadline host_calls ok
;; SPDX-License-Identifier: Apache-2.0
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1000)
  (func (export "run") (loop $l (drop (call $random (i32.const 0) (i32.const 65000000))) (br $l))))
