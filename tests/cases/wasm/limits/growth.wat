;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --memory 4MiB
;; outcome: memory
;; tripped: memory
;; used.memory_peak_bytes: 4194304
;; limits.memory_bytes: 4194304
(module (memory 1) (func (export "run") (loop $l (drop (memory.grow (i32.const 1))) (br $l))))
