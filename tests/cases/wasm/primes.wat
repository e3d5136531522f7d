;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: ok
;; value: 1229
;; used.fuel: null
(module
  (func (export "run") (result i32) (local $n i32) (local $d i32) (local $c i32)
    (local.set $n (i32.const 2))
    (loop $next
      (local.set $d (i32.const 2))
      (block $composite
        (loop $try
          (if (i32.gt_u (i32.mul (local.get $d) (local.get $d)) (local.get $n))
            (then (local.set $c (i32.add (local.get $c) (i32.const 1))) (br $composite)))
          (br_if $composite (i32.eqz (i32.rem_u (local.get $n) (local.get $d))))
          (local.set $d (i32.add (local.get $d) (i32.const 1)))
          (br $try)))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $n) (i32.const 10000))))
    (local.get $c)))
