;; SPDX-License-Identifier: Apache-2.0
;; To wait for another thread, where there is none, traps at once.
;; args: --call run
;; outcome: trapped
;; error.message~: shared memory
(module
	(memory 1)
	(func (export "run") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))
