;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; exit: 1
(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (memory.copy (global.get $next) (local.get 0) (local.get 1))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3))))
    (func (export "run") (result i32) (i32.const 2)))
  (core instance $i (instantiate $m))
  (type $colour_ (enum "red" "green"))
  (export $colour "colour" (type $colour_))
  (func (export "run") (result $colour) (canon lift (core func $i "run"))))
