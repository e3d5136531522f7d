;; SPDX-License-Identifier: Apache-2.0
;; The function's name suffices if only one interface has it.
;; args: --call g
;; outcome: ok
;; value: 2
(component
  (core module $m (func (export "one") (result i32) (i32.const 1)) (func (export "two") (result i32) (i32.const 2)))
  (core instance $i (instantiate $m))
  (func $one (result u32) (canon lift (core func $i "one")))
  (func $two (result u32) (canon lift (core func $i "two")))
  (instance $a (export "f" (func $one)) (export "g" (func $two)))
  (instance $b (export "f" (func $two)))
  (export "test:a/one@1.0.0" (instance $a))
  (export "test:a/two@1.0.0" (instance $b)))
