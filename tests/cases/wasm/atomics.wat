;; SPDX-License-Identifier: Apache-2.0
;; Atomic instructions on a memory that nobody shares; nobody waits for a wake-up.
;; args: --call run
;; outcome: ok
;; value: [5,6,0,1]
(module
	(memory 1)
	(func (export "run") (result i32 i32 i32 i32)
		(i32.atomic.store (i32.const 0) (i32.const 5))
		(i32.atomic.rmw.add (i32.const 0) (i32.const 1))
		(i32.atomic.rmw.cmpxchg (i32.const 0) (i32.const 6) (i32.const 7))
		(memory.atomic.notify (i32.const 0) (i32.const 1))
		(atomic.fence)
		(i32.eq (i32.atomic.load (i32.const 0)) (i32.const 7))))
