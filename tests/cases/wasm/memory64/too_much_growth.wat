;; SPDX-License-Identifier: Apache-2.0
;; More than any memory can have: as the specification says, the memory stays as it is.
;; args: --call run --memory 32MiB
;; outcome: ok
;; value: -1
(module
	(memory i64 160)
	(func (export "run") (result i64) (memory.grow (i64.const 0x1000000))))
