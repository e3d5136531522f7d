;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --cpu 50ms
;; outcome: cpu
;; tripped: cpu
;; used.cpu_us: >= 50000
(module (func (export "run") (loop $l (br $l))))
