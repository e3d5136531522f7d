;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --params '[{"a":1}]'
;; outcome: bad_program
;; error.message~: ^parameter 1
;; exit: 3
(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (memory.copy (global.get $next) (local.get 0) (local.get 1))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3))))
    (func (export "run") (param i32 i32)))
  (core instance $i (instantiate $m))
  (type $r_ (record (field "a" u8) (field "b" u8)))
  (export $r "r" (type $r_))
  (func (export "run") (param "v" $r) (canon lift (core func $i "run"))))
