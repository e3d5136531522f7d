;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module (func (export "run") (loop $l (br_table $l $l (i32.const 0)))))
