;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --memory 32MiB
;; outcome: memory
(module
	(memory i64 160)
	(func (export "run")
		(loop (drop (memory.grow (i64.const 16))) (br 0))))
