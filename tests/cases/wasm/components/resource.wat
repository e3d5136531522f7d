;; SPDX-License-Identifier: Apache-2.0
;; In JSON a handle is only a number.
;; args: --call make
;; outcome: ok
;; value: {"resource":1}
(component
  (type $thing_ (resource (rep i32)))
  (core func $new (canon resource.new $thing_))
  (core module $m (import "r" "new" (func $new (param i32) (result i32))) (func (export "make") (result i32) (call $new (i32.const 1))))
  (core instance $i (instantiate $m (with "r" (instance (export "new" (func $new))))))
  (export $thing "thing" (type $thing_))
  (func (export "make") (result (own $thing)) (canon lift (core func $i "make"))))
