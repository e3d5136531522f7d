;; SPDX-License-Identifier: Apache-2.0
;; Each bulk instruction works on its own memory, in chunks, and both memories count.
;; args: --call run --memory 16MiB
;; outcome: ok
;; value: [7,7,7,9,0,2]
;; used.memory_peak_bytes: >= 8519680
(module
  (memory $a 64)
  (memory $b 64 80)
  (data $d "\07\08\09")
  (func (export "run") (result i32 i32 i32 i32 i32 i32)
    (memory.fill $b (i32.const 0) (i32.const 7) (i32.const 4000000))
    (memory.copy $a $b (i32.const 100) (i32.const 0) (i32.const 3000000))
    (memory.copy $b $b (i32.const 1) (i32.const 0) (i32.const 3999999))
    (memory.init $b $d (i32.const 4100000) (i32.const 0) (i32.const 3))
    (i32.load8_u $b (i32.const 3999999))
    (i32.load8_u $a (i32.const 100))
    (i32.load8_u $a (i32.const 3000099))
    (i32.load8_u $b (i32.const 4100002))
    (i32.load8_u $a (i32.const 3000100))
    (drop (memory.grow $b (i32.const 2)))
    (i32.sub (memory.size $b) (memory.size $a))))
