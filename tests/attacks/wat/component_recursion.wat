;; expect: stack
;; SPDX-License-Identifier: Apache-2.0
(component
  (core module $m (func $f (export "run") (call $f)))
  (core instance $i (instantiate $m))
  (func (export "run") (canon lift (core func $i "run"))))
