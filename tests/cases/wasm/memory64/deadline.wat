;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --timeout 200ms
;; outcome: deadline
(module
	(memory i64 160)
	(func (export "run")
		(loop (memory.fill (i64.const 0) (i32.const 1) (i64.const 10000000)) (br 0))))
