;; SPDX-License-Identifier: Apache-2.0
;; expect: deadline
(module
	(memory i64 960)
	(func (export "run")
		(loop (memory.copy (i64.const 1) (i64.const 0) (i64.const 62000000)) (br 0))))
