;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 100)
  (func (export "run") (local $i i32)
    (loop $l
      (i32.store offset=16 (i32.mul (local.get $i) (i32.const 48)) (i32.const 1))
      (i64.store offset=24 (i32.mul (local.get $i) (i32.const 48)) (i64.const 3600000000000))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 150))))
    (drop (call $poll (i32.const 0) (i32.const 100000) (i32.const 150) (i32.const 99000)))))
