;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(component
  (component $sink
    (core module $m
      (memory (export "memory") 400)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
      (func (export "take") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "take") (param "list" (list u8))
      (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $source
    (import "take" (func $take (param "list" (list u8))))
    (core module $memory (memory (export "memory") 400))
    (core instance $memory (instantiate $memory))
    (core func $lowered (canon lower (func $take) (memory (core memory $memory "memory"))))
    (core module $m
      (import "sink" "take" (func $take (param i32 i32)))
      (import "memory" "memory" (memory 400))
      (func (export "run") (loop $l (call $take (i32.const 16) (i32.const 26000000)) (br $l))))
    (core instance $i (instantiate $m
      (with "sink" (instance (export "take" (func $lowered))))
      (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))
  (instance $b (instantiate $sink))
  (instance $a (instantiate $source (with "take" (func $b "take"))))
  (export "run" (func $a "run")))
