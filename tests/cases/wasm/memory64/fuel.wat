;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --fuel 100k
;; outcome: fuel
(module
	(memory i64 160)
	(func (export "run")
		(memory.fill (i64.const 0) (i32.const 1) (i64.const 10000000))))
