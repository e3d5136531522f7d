;; expect: deadline memory trapped
;; SPDX-License-Identifier: Apache-2.0
(component
  (type $thing' (resource (rep i32)))
  (core func $new (canon resource.new $thing'))
  (core module $m
    (import "r" "new" (func $new (param i32) (result i32)))
    (func (export "run") (loop $l (drop (call $new (i32.const 1))) (br $l))))
  (core instance $i (instantiate $m (with "r" (instance (export "new" (func $new))))))
  (func (export "run") (canon lift (core func $i "run"))))
