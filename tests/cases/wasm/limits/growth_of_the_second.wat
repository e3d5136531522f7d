;; SPDX-License-Identifier: Apache-2.0
;; All that it begins with counts, not only the memory that does not fit.
;; args: --call run --memory 4MiB
;; outcome: memory
;; error.message: the memory limit was exceeded: the program begins with 7 MiB, so give it more (--memory)
(module (memory 48) (memory 64) (func (export "run")))
