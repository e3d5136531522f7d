;; SPDX-License-Identifier: Apache-2.0
;; Frames of both components are shown, but not those of the adapter between them.
;; args: --call run
;; outcome: trapped
;; error.name: unreachable
;; frames: sum composition_trap.wat@* | run composition_trap.wat@*
(component
  (component $sink
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
      (func (export "sum") (param $at i32) (param $count i32) (result i32) (local $sum i32)
        (loop $l
          (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $l (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
        unreachable))
    (core instance $i (instantiate $m))
    (func (export "sum") (param "list" (list u8)) (result u32)
      (canon lift (core func $i "sum") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $source
    (import "sum" (func $sum (param "list" (list u8)) (result u32)))
    (core module $memory (memory (export "memory") 1) (data (i32.const 8) "abc"))
    (core instance $memory (instantiate $memory))
    (core func $lowered (canon lower (func $sum) (memory (core memory $memory "memory"))))
    (core module $m
      (import "sink" "sum" (func $sum (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $sum (i32.const 8) (i32.const 3))))
    (core instance $i (instantiate $m (with "sink" (instance (export "sum" (func $lowered))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $b (instantiate $sink))
  (instance $a (instantiate $source (with "sum" (func $b "sum"))))
  (export "run" (func $a "run")))
