;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(component
  (core module $m
    (func (export "run") (result i32) (i32.const 1))
    (func (export "after") (param i32) (loop $l (br $l))))
  (core instance $i (instantiate $m))
  (func (export "run") (result u32) (canon lift (core func $i "run") (post-return (core func $i "after")))))
