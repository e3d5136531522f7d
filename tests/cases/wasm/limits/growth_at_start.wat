;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --memory 4MiB
;; outcome: memory
;; used.memory_peak_bytes: 0
;; error.message: the memory limit was exceeded: the program begins with 5 MiB, so give it more (--memory)
(module (memory 65) (func (export "run")))
