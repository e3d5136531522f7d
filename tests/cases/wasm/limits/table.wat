;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --memory 4MiB
;; outcome: memory
;; used.memory_peak_bytes: <= 4194304
(module (table $t 1 funcref) (func (export "run") (result i32) (table.grow $t (ref.null func) (i32.const 524288))))
