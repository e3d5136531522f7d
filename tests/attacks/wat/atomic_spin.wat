;; SPDX-License-Identifier: Apache-2.0
;; expect: deadline
(module
	(memory 1)
	(func (export "run")
		(loop (br_if 0 (i32.eqz (i32.atomic.rmw.cmpxchg (i32.const 0) (i32.const 0) (i32.const 0)))))))
