;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; error.message~: out of bounds
(module
	(memory i64 160)
	(func (export "run")
		(memory.fill (i64.const 1) (i32.const 1) (i64.const -1))))
