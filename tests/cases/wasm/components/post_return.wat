;; SPDX-License-Identifier: Apache-2.0
;; The result is copied before it is freed.
;; args: --call run
;; outcome: ok
;; value: "text"
(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (memory.copy (global.get $next) (local.get 0) (local.get 1))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3))))
    (data (i32.const 100) "text")
    (func (export "run") (result i32)
      (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 4)) (i32.const 0))
    (func (export "free") (param i32) (memory.fill (i32.const 0) (i32.const 0) (i32.const 200))))
  (core instance $i (instantiate $m))
  (func (export "run") (result string) (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "realloc")) (post-return (core func $i "free")))))
