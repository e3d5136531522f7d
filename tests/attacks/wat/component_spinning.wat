;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(component
  (component $inner
    (core module $m (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))
  (component $outer
    (import "f" (func $f (param "x" u32) (result u32)))
    (core func $lowered (canon lower (func $f)))
    (core module $m
      (import "inner" "f" (func $f (param i32) (result i32)))
      (func (export "run") (local i32) (loop $l (local.set 0 (call $f (local.get 0))) (br $l))))
    (core instance $i (instantiate $m (with "inner" (instance (export "f" (func $lowered))))))
    (func (export "run") (canon lift (core func $i "run"))))
  (instance $b (instantiate $inner))
  (instance $a (instantiate $outer (with "f" (func $b "f"))))
  (export "run" (func $a "run")))
