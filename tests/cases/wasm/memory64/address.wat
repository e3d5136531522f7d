;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; error.message~: out of bounds
(module
	(memory i64 160)
	(func (export "run")
		(drop (i64.load8_u (i64.const 0x100000000)))))
