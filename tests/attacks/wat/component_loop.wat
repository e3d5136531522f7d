;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(component
  (core module $m (func (export "run") (loop $l (br $l))))
  (core instance $i (instantiate $m))
  (func (export "run") (canon lift (core func $i "run"))))
