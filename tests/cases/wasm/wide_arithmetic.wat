;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: ok
;; value: [0,1,1,-2]
(module
	(func (export "run") (result i64 i64 i64 i64)
		(i64.add128 (i64.const -1) (i64.const 0) (i64.const 1) (i64.const 0))
		(i64.mul_wide_u (i64.const -1) (i64.const -1))))
