;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (func (export "run") (local $turn i32)
    (loop $outer
      (if (i32.and (local.get $turn) (i32.const 1))
        (then (local.set $turn (i32.const 0)) (br $outer))
        (else (loop $inner (br_if $inner (i32.eqz (local.get $turn)))))))))
