;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module (table $t 1000000 funcref) (func (export "run") (loop $l (table.fill $t (i32.const 0) (ref.null func) (i32.const 1000000)) br $l)))
