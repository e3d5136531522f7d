;; SPDX-License-Identifier: Apache-2.0
;; A component that exports wasi:cli/run is a command. Its error becomes an exit code.
;; outcome: exited
;; value: null
;; exit: 1
(component
  (core module $m (func (export "run") (result i32) (i32.const 1)))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $a (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $a)))
