;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --memory 4MiB
;; outcome: ok
;; value: [1,64,-1]
;; used.memory_peak_bytes: 4194304
(module
  (memory 1 64)
  (func (export "run") (result i32 i32 i32)
    (memory.grow (i32.const 63))
    (memory.size)
    (memory.grow (i32.const 1)))) ;; more than its own type allows: no limit of ours
