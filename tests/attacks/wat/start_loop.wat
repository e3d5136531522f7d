;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module (func $s (loop $l br $l)) (start $s) (func (export "run")))
