;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (loop $l (drop (call $yield)) (br $l))))
