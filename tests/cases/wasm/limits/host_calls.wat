;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --host-calls 10
;; outcome: host_calls
;; tripped: host_calls
;; used.host_calls: 10
(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (loop $l (drop (call $yield)) (br $l))))
