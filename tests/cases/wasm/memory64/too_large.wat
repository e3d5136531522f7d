;; SPDX-License-Identifier: Apache-2.0
;; Larger than any address space there is.
;; args: --call run
;; outcome: memory
(module (memory i64 0x100000000) (func (export "run")))
