;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(component
  (core module $m (func $s (loop $l (br $l))) (start $s) (func (export "run")))
  (core instance $i (instantiate $m))
  (func (export "run") (canon lift (core func $i "run"))))
