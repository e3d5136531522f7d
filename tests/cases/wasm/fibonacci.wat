;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --params [20] --fuel 10M --deterministic
;; outcome: ok
;; value: 6765
;; used.fuel: > 100000
;; run: twice
(module
  (func $fib (export "run") (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add
        (call $fib (i32.sub (local.get 0) (i32.const 1)))
        (call $fib (i32.sub (local.get 0) (i32.const 2))))))))
