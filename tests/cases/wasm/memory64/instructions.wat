;; SPDX-License-Identifier: Apache-2.0
;; Memories and tables with 64-bit indices, also between them and those with 32-bit ones.
;; args: --call all
;; outcome: ok
;; value: [7,2,84,84,84,42,-1]
(module
	(memory i64 1 3)
	(memory $small 1)
	(table $t i64 2 funcref)
	(data (memory $small) (i32.const 0) "TTTTTTTT")
	(data $d "****")
	(func (export "all") (result i64 i64 i64 i64 i64 i64 i64)
		(i64.store (i64.const 65528) (i64.const 7))
		(i64.load (i64.const 65528))
		(drop (memory.grow (i64.const 1)))
		(memory.size)
		(memory.copy 0 $small (i64.const 131064) (i32.const 0) (i32.const 8))
		(memory.copy (i64.const 70000) (i64.const 131064) (i64.const 5))
		(i64.load8_u (i64.const 70004))
		(memory.fill (i64.const 1) (i32.const 84) (i64.const 100000))
		(memory.copy (i64.const 2) (i64.const 1) (i64.const 100000))
		(i64.load8_u (i64.const 1))
		(i64.load8_u (i64.const 100001))
		(memory.init $d (i64.const 100002) (i32.const 0) (i32.const 4))
		(i64.load8_u (i64.const 100005))
		(table.grow $t (ref.null func) (i64.const -2))))
