;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(component
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))
  (core func $now (canon lower (func $clock "now")))
  (core module $m
    (import "wasi" "now" (func $now (result i64)))
    (func (export "run") (loop $l (drop (call $now)) (br $l))))
  (core instance $i (instantiate $m (with "wasi" (instance (export "now" (func $now))))))
  (func (export "run") (canon lift (core func $i "run"))))
