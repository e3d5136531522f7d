;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --memory 4MiB
;; outcome: memory
;; used.memory_peak_bytes: 0
(module (memory 65) (func (export "run")))
