;; SPDX-License-Identifier: Apache-2.0
;; The greatest common divisor: curfew run --print --call gcd --params '[1071, 462]' examples/gcd.wat
(module
  (func $gcd (export "gcd") (param $a i32) (param $b i32) (result i32)
    (if (result i32) (i32.eqz (local.get $b))
      (then (local.get $a))
      (else (call $gcd (local.get $b) (i32.rem_u (local.get $a) (local.get $b)))))))
