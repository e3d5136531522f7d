;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (type $f (func (param i32) (result i32)))
  (elem declare func $tree)
  (func $tree (type $f)
    (if (result i32) (local.get 0)
      (then (i32.add
        (call_ref $f (i32.sub (local.get 0) (i32.const 1)) (ref.func $tree))
        (call_ref $f (i32.sub (local.get 0) (i32.const 1)) (ref.func $tree))))
      (else (i32.const 1))))
  (func (export "run") (result i32) (call $tree (i32.const 60))))
